"""What sensors told of a batch over a window of time: its reduced form, its rows, its picture."""
