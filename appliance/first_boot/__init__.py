"""A new box: finds its devices, joins the network, and waits until its hospital has enrolled it."""
