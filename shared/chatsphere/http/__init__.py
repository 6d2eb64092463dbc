"""What every HTTP function shares: who is asking, problem documents, pages of lists."""
