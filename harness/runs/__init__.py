"""How runs are made: their conditions, what a worker reports, where they are kept, what runs them."""
