"""The gateway: services behind the OpenAI API, the Open Inference Protocol and MCP."""
