locals {
  # By kind of overlay in infra/kubernetes. A kind with no node at most is not made.
  worker_nodes = { for kind, nodes in {
    cpu = { ami = "AL2023_x86_64_STANDARD", types = var.cpu_instance_types, max = var.cpu_max_nodes, labels = {}, taints = {} }
    gpu = {
      ami   = "AL2023_x86_64_NVIDIA"
      types = var.gpu_instance_types
      max   = var.gpu_max_nodes
      # The second is what NVIDIA's device plugin looks for on nodes that nobody has labelled by their hardware.
      labels = { "headlight/gpu" = "true", "nvidia.com/gpu.present" = "true" }
      # Nobody else's pods on the dear nodes.
      taints = { "nvidia.com/gpu" = "present" }
    }
  } : kind => merge(nodes, { taints = merge(nodes.taints, local.spot_taint) }) if nodes.max > 0 }
  spot_taint = var.capacity == "SPOT" ? { "headlight/spot" = "true" } : {}

  # With no node running, the autoscaler knows only from these what a new one would offer.
  template = "k8s.io/cluster-autoscaler/node-template"
  autoscaler_tags = merge([for kind, nodes in local.worker_nodes : merge(
    { for label, value in nodes.labels : "${kind} label/${label}" => value },
    { for taint, value in nodes.taints : "${kind} taint/${taint}" => "${value}:NoSchedule" },
    kind == "gpu" ? { "gpu resources/nvidia.com/gpu" = "1" } : {},
  )]...)
}

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
  name               = "${var.name}-worker-nodes"
  assume_role_policy = data.aws_iam_policy_document.nodes.json
}

# What a node needs to join and to pull images. S3 is the pods' own matter (identity.tf).
resource "aws_iam_role_policy_attachment" "nodes" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"])
  role       = aws_iam_role.nodes.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_eks_node_group" "worker" {
  for_each        = local.worker_nodes
  cluster_name    = var.cluster_name
  node_group_name = "${var.name}-${each.key}"
  node_role_arn   = aws_iam_role.nodes.arn
  subnet_ids      = var.subnet_ids
  ami_type        = each.value.ami
  instance_types  = each.value.types
  capacity_type   = var.capacity
  disk_size       = 60
  labels          = each.value.labels

  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = each.value.max
  }
  update_config {
    max_unavailable = 1
  }
  dynamic "taint" {
    for_each = each.value.taints
    content {
      key    = taint.key
      value  = taint.value
      effect = "NO_SCHEDULE"
    }
  }

  lifecycle {
    # How many there are is the cluster autoscaler's.
    ignore_changes = [scaling_config[0].desired_size]
  }
  depends_on = [aws_iam_role_policy_attachment.nodes]
}

resource "aws_autoscaling_group_tag" "worker" {
  for_each               = local.autoscaler_tags
  autoscaling_group_name = aws_eks_node_group.worker[split(" ", each.key)[0]].resources[0].autoscaling_groups[0].name
  tag {
    key                 = "${local.template}/${split(" ", each.key)[1]}"
    value               = each.value
    propagate_at_launch = false
  }
}
