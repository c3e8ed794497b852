"""Images, points and heatmaps as arrays: no net and no estimator."""
