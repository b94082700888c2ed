locals {
  sides = toset(["producer", "worker", "viewer"])
  places = {
    dataset_bucket = var.dataset.bucket
    dataset_prefix = var.dataset.prefix
    output_bucket  = var.output_bucket
    output_prefix  = var.output_prefix
  }
}

data "aws_iam_policy_document" "pods" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "side" {
  for_each           = local.sides
  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.pods.json
}

resource "aws_iam_role_policy" "side" {
  for_each = local.sides
  name     = "s3"
  role     = aws_iam_role.side[each.key].id
  policy   = templatefile("${path.module}/policies/${each.key}.json.tftpl", local.places)
}

resource "aws_eks_pod_identity_association" "side" {
  for_each        = local.sides
  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = "headlight-${each.key}"
  role_arn        = aws_iam_role.side[each.key].arn
}
