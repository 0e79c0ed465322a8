"""Services as people use them: acts, the journals of gateways, the watch's rounds, the duty desk."""
