"""The gateway: services behind the OpenAI API, the Open Inference Protocol, MCP and A2A."""
