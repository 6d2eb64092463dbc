"""The commands, one file each; `register` puts a file's commands into the application."""
