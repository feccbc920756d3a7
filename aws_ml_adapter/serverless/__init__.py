"""The pipeline on AWS: gateway, handlers, S3, records in DynamoDB, messages in SQS, workers in Lambda or ECS."""
