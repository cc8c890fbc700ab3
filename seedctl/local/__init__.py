"""The local sandbox: Cognito, Parameter Store and STS on loopback, with no AWS account."""
