"""Services as people work with them: acts, the journals of gateways, the watch's rounds, the duty desk."""
