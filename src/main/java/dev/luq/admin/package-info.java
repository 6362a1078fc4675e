/**
 * Administration over HTTP, {@code /admin/v1}, for keys of role admin: what is served from which files, plans,
 * re-quantizations, calibration sets. Resources only check and translate; what they offer is done by {@code worker} and
 * {@code jobs}.
 */
package dev.luq.admin;
