"""One metric a module; its name is the metric's, and `PLUGIN(settings)` makes a `seqtrans.scoring.Metric`."""
