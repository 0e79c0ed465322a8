"""The gateway: services behind the OpenAI API and the Open Inference Protocol."""
