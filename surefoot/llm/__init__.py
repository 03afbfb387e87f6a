"""Model providers behind ``surefoot.ports.ModelPort``, and what their calls cost."""
