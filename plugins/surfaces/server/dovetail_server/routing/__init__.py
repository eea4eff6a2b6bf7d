"""How requests find what answers them: routes and their fields, the router, what is asked and what is answered."""
