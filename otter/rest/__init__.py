"""The v1.0 REST API: parses, authorises, calls the controller and formats; decides nothing else."""
