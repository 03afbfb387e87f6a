"""Workers that die, or stop for too long, at the instants that leave the most in doubt."""
