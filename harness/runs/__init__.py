"""How runs are made: their conditions, what comes of them, where they are kept, who runs them."""
