/**
 * Which models there are: their files, ids, aliases and variants, as configured and as changed at run time.
 *
 * <p>{@link dev.luq.catalog.Catalog} has one {@link dev.luq.catalog.CatalogEntry} a model and changes them one after the other;
 * a {@link dev.luq.catalog.CatalogView} is one state of all of them, which readers see as a whole. What was changed at run time
 * lies in {@code catalog.json} of the data folder ({@link dev.luq.catalog.CatalogState}) before its method returns. Files are
 * judged by their headers; no process is started here, that is {@code serving}.
 */
package dev.luq.catalog;
