"""What a call means: pure deciders plus one conditional write; knows neither HTTP nor the cloud."""
