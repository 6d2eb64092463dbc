"""ChatSphere: a chatbot that answers from your documents, with citations, or says that it does not know."""

__version__ = "0.1.0"
