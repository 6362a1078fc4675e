/** What every room does with files in the same way. Imports no other room. */
package dev.luq.files;
