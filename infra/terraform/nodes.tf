data "aws_iam_policy_document" "nodes" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "nodes" {
  count              = var.gpu_max_nodes > 0 ? 1 : 0
  name               = "${var.name}-gpu-nodes"
  assume_role_policy = data.aws_iam_policy_document.nodes.json
}

# What a node needs to join and to pull images. S3 is the pods' own matter (identity.tf).
resource "aws_iam_role_policy_attachment" "nodes" {
  for_each = var.gpu_max_nodes > 0 ? toset([
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryReadOnly",
  ]) : toset([])
  role       = aws_iam_role.nodes[0].name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_eks_node_group" "gpu" {
  count           = var.gpu_max_nodes > 0 ? 1 : 0
  cluster_name    = var.cluster_name
  node_group_name = "${var.name}-gpu"
  node_role_arn   = aws_iam_role.nodes[0].arn
  subnet_ids      = var.subnet_ids
  ami_type        = "AL2023_x86_64_NVIDIA"
  instance_types  = var.gpu_instance_types
  capacity_type   = var.gpu_capacity
  disk_size       = 60
  labels          = { "headlight/gpu" = "true" }

  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = var.gpu_max_nodes
  }
  update_config {
    max_unavailable = 1
  }
  # Nobody else's pods on the dear nodes.
  taint {
    key    = "nvidia.com/gpu"
    value  = "present"
    effect = "NO_SCHEDULE"
  }
  dynamic "taint" {
    for_each = var.gpu_capacity == "SPOT" ? [1] : []
    content {
      key    = "headlight/spot"
      value  = "true"
      effect = "NO_SCHEDULE"
    }
  }

  lifecycle {
    # How many there are is the cluster autoscaler's.
    ignore_changes = [scaling_config[0].desired_size]
  }
  depends_on = [aws_iam_role_policy_attachment.nodes]
}

# With no node running, the autoscaler knows only from these what a new one would offer.
resource "aws_autoscaling_group_tag" "gpu" {
  for_each = var.gpu_max_nodes > 0 ? merge(
    {
      "k8s.io/cluster-autoscaler/node-template/label/headlight/gpu"      = "true"
      "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/gpu" = "1"
      "k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu"     = "present:NoSchedule"
    },
    var.gpu_capacity == "SPOT" ? { "k8s.io/cluster-autoscaler/node-template/taint/headlight/spot" = "true:NoSchedule" } : {},
  ) : {}
  autoscaling_group_name = aws_eks_node_group.gpu[0].resources[0].autoscaling_groups[0].name
  tag {
    key                 = each.key
    value               = each.value
    propagate_at_launch = false
  }
}
