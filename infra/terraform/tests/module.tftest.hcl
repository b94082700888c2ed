mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_eks_node_group" {
    defaults = { resources = [{ autoscaling_groups = [{ name = "mocked" }] }] }
  }
}

variables {
  dataset                = { bucket = "heads", prefix = "images/" }
  output_bucket          = "heads-saliency"
  cluster_name           = "cluster"
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-1", "subnet-2"]
  node_security_group_id = "sg-1"
  queue_passwords        = { headlight = "aaaaaaaaaaaaaaaaaaaa", keda = "bbbbbbbbbbbbbbbbbbbb" }
}

run "results_are_kept_safe" {
  assert {
    condition     = one(aws_s3_bucket_versioning.output.versioning_configuration).status == "Enabled"
    error_message = "What is overwritten must be recoverable."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.output.block_public_acls,
      aws_s3_bucket_public_access_block.output.block_public_policy,
      aws_s3_bucket_public_access_block.output.ignore_public_acls,
      aws_s3_bucket_public_access_block.output.restrict_public_buckets,
    ])
    error_message = "Nobody outside may read results."
  }
  assert {
    condition     = length(aws_s3_bucket_server_side_encryption_configuration.output.rule) == 1
    error_message = "Results are encrypted."
  }
  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_lifecycle_configuration.output.rule :
      alltrue([for expiration in rule.expiration : expiration.expired_object_delete_marker])
    ])
    error_message = "No rule may remove current objects by their age: the state may be an old run's table."
  }
}

run "rights_end_at_the_prefixes" {
  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.side : alltrue(flatten([
        for statement in jsondecode(policy.policy).Statement : [
          for resource in flatten([statement.Resource]) :
          startswith(resource, "arn:aws:s3:::heads/images/") ||
          startswith(resource, "arn:aws:s3:::heads-saliency/saliency/") ||
          # AWS knows no prefix for this right. It shows keys of unfinished uploads, and no object.
          (statement.Action == "s3:ListBucketMultipartUploads" && resource == "arn:aws:s3:::heads-saliency") ||
          (statement.Action == "s3:ListBucket" && contains(["images/*", "saliency/*"], try(statement.Condition.StringLike["s3:prefix"], "")))
        ]
      ]))
    ])
    error_message = "A policy reaches beyond dataset and output."
  }
  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.side : alltrue([
        for statement in jsondecode(policy.policy).Statement :
        !contains(flatten([statement.Action]), "s3:*") && statement.Effect == "Allow"
      ])
    ])
    error_message = "A policy allows more than single actions."
  }
  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.side["viewer"].policy).Statement : statement.Action])) == toset(["s3:GetObject", "s3:ListBucket"])
    error_message = "Who looks only reads."
  }
  assert {
    condition     = { for side, association in aws_eks_pod_identity_association.side : side => association.service_account } == { producer = "headlight-producer", viewer = "headlight-viewer", worker = "headlight-worker" }
    error_message = "The roles must be bound to the service accounts of infra/kubernetes."
  }
}

run "the_queue_loses_nothing_and_is_closed" {
  assert {
    condition     = aws_elasticache_replication_group.queue.transit_encryption_enabled && aws_elasticache_replication_group.queue.at_rest_encryption_enabled
    error_message = "The queue is encrypted on the wire and on disk."
  }
  assert {
    condition     = one([for p in aws_elasticache_parameter_group.queue.parameter : p.value if p.name == "maxmemory-policy"]) == "noeviction"
    error_message = "The queue must not lose keys when memory runs short."
  }
  assert {
    condition     = startswith(aws_elasticache_user.queue["headlight"].access_string, "on ~{headlight}:* resetchannels -@all +")
    error_message = "The user is limited to headlight's keys."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.queue.referenced_security_group_id == "sg-1"
    error_message = "Only the cluster's nodes reach the queue."
  }
}

run "worker_nodes_start_at_none" {
  assert {
    condition = alltrue([
      for group in aws_eks_node_group.worker :
      one(group.scaling_config).min_size == 0 && one(group.scaling_config).desired_size == 0
    ])
    error_message = "An idle night costs no worker node."
  }
  assert {
    condition = { for kind, group in aws_eks_node_group.worker : kind => toset([for taint in group.taint : taint.key]) } == {
      cpu = toset(["headlight/spot"]), gpu = toset(["nvidia.com/gpu", "headlight/spot"])
    }
    error_message = "The taints that infra/kubernetes tolerates."
  }
  assert {
    condition     = aws_eks_node_group.worker["gpu"].labels == tomap({ "headlight/gpu" = "true", "nvidia.com/gpu.present" = "true" })
    error_message = "The labels that the overlay gpu and NVIDIA's device plugin select."
  }
  assert {
    condition = { for tag in aws_autoscaling_group_tag.worker : one(tag.tag).key => one(tag.tag).value if startswith(one(tag.tag).key, "k8s.io/cluster-autoscaler/node-template/resources/") } == {
      "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/gpu" = "1"
    }
    error_message = "The autoscaler must know that a GPU node offers a GPU while none runs."
  }
}

run "on_demand_nodes_have_no_spot_taint" {
  variables {
    capacity = "ON_DEMAND"
  }
  assert {
    condition     = length(aws_eks_node_group.worker["cpu"].taint) == 0 && [for taint in aws_eks_node_group.worker["gpu"].taint : taint.key] == ["nvidia.com/gpu"]
    error_message = "A taint of spot nodes on others keeps everybody off."
  }
}

run "a_kind_without_nodes_is_not_made" {
  variables {
    gpu_max_nodes = 0
  }
  assert {
    condition     = keys(aws_eks_node_group.worker) == ["cpu"] && !anytrue([for tag in aws_autoscaling_group_tag.worker : strcontains(one(tag.tag).key, "gpu")])
    error_message = "Without GPUs nothing of them is made."
  }
}

run "a_prefix_without_slash_is_refused" {
  command = plan
  variables {
    dataset = { bucket = "heads", prefix = "images" }
  }
  expect_failures = [var.dataset]
}
