output "output_uri" {
  description = "For --output."
  value       = "s3://${aws_s3_bucket.output.bucket}/${var.output_prefix}"
}

output "allow" {
  description = "For HEADLIGHT_ALLOW of producer and workers: dataset and output."
  value       = "s3://${var.dataset.bucket}/${var.dataset.prefix},s3://${aws_s3_bucket.output.bucket}/${var.output_prefix}"
}

output "queue_address" {
  description = "host:port of the queue, TLS only; for KEDA, and after the @ of HEADLIGHT_REDIS=rediss://headlight:…@"
  value       = "${aws_elasticache_replication_group.queue.primary_endpoint_address}:6379"
}

output "role_arns" {
  description = "Roles of producer, worker and viewer."
  value       = { for side, role in aws_iam_role.side : side => role.arn }
}
