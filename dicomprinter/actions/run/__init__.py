"""Run: starts a program of the site with values of the job."""
