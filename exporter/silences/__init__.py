"""What is silenced in Alertmanager, and which of our series that means."""
