"""
Start the real programs on this machine and talk to them: for the demo, acceptance tests, benches.
"""
