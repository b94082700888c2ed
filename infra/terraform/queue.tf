resource "aws_elasticache_subnet_group" "queue" {
  name       = "${var.name}-queue"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "queue" {
  name        = "${var.name}-queue"
  description = "Valkey for headlight, from the cluster's nodes only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "queue" {
  security_group_id            = aws_security_group.queue.id
  description                  = "Nodes of the cluster"
  referenced_security_group_id = var.node_security_group_id
  from_port                    = 6379
  to_port                      = 6379
  ip_protocol                  = "tcp"
}

resource "aws_elasticache_parameter_group" "queue" {
  name        = "${var.name}-queue"
  family      = "valkey8"
  description = "A queue must not lose keys when memory runs short"
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

# The same rules as on any other server: infra/redis.
resource "aws_elasticache_user" "queue" {
  for_each      = toset(["headlight", "keda"])
  user_id       = "${var.name}-${each.key}"
  user_name     = each.key
  engine        = "valkey"
  access_string = "on ${trimspace(file("${path.module}/../redis/${each.key}.acl"))}"
  authentication_mode {
    type      = "password"
    passwords = [var.queue_passwords[each.key]]
  }
}

resource "aws_elasticache_user_group" "queue" {
  user_group_id = "${var.name}-queue"
  engine        = "valkey"
  user_ids      = [for user in aws_elasticache_user.queue : user.user_id]
}

resource "aws_elasticache_replication_group" "queue" {
  replication_group_id       = "${var.name}-queue"
  description                = "headlight's queue"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.queue_node_type
  num_cache_clusters         = 1 + var.queue_replicas
  automatic_failover_enabled = var.queue_replicas > 0
  multi_az_enabled           = var.queue_replicas > 0
  parameter_group_name       = aws_elasticache_parameter_group.queue.name
  subnet_group_name          = aws_elasticache_subnet_group.queue.name
  security_group_ids         = [aws_security_group.queue.id]
  user_group_ids             = [aws_elasticache_user_group.queue.user_group_id]
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  port                       = 6379
  # Schedules live here and nowhere else.
  snapshot_retention_limit = 3
}
