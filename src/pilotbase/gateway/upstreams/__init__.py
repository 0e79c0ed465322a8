"""What answers the questions of a service: boxes of certified applications, and endpoints of others."""
