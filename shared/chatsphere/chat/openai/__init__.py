"""Chat for clients of OpenAI's API: the same answers, in the shapes of chat completions and of responses."""
