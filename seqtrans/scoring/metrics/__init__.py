"""One module for each metric, with the metric's name; its `PLUGIN(settings)` makes a `seqtrans.scoring.Metric`."""
