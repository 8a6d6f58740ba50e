"""What watches a lab: the follower of the kernel's news, packets as journeys, the guard against storms, and the gathering of evidence."""
