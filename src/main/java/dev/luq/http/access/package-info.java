/**
 * Who makes a request, and what that caller may do: keys, roles, rates, pages of other sites, the audit log.
 */
package dev.luq.http.access;
