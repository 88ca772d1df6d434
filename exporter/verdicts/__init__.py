"""What operators say of alerts: kept, asked for over HTTP and on the command line, given to the detectors."""
