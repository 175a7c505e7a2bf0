"""The Kubernetes API as the operator uses it: requests, JSON, credentials, and what may not be sent any more."""
