"""Line charts as SVG."""
