/**
 * Administration over HTTP, {@code /admin/v1}, for keys of role admin: models, variants, plans, re-quantizations, calibration
 * sets.
 *
 * <p>A resource checks and translates; what it offers is done by the rooms behind: {@code serving.ModelControl},
 * {@code jobs.Jobs}, {@code datasets.CalibrationSets}, {@code requant.plan.Planner}. What these fail with becomes an error of
 * the API in {@link dev.luq.admin.AdminErrors} alone. Every resource carries {@code @RolesAllowed("admin")} and
 * {@link dev.luq.admin.TranslatesFailures}, and each that changes something {@link dev.luq.admin.Audited}.
 */
package dev.luq.admin;
