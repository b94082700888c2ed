mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["a", "b", "c"] }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_eks_node_group" {
    defaults = { resources = [{ autoscaling_groups = [{ name = "mocked" }] }] }
  }
}

run "the_example_fits_the_module" {
  variables {
    dataset         = { bucket = "heads", prefix = "images/" }
    output_bucket   = "heads-saliency"
    queue_passwords = { headlight = "aaaaaaaaaaaaaaaaaaaa", keda = "bbbbbbbbbbbbbbbbbbbb" }
    api_cidrs       = ["192.0.2.0/24"]
  }
  assert {
    condition     = output.output_uri == "s3://heads-saliency/saliency/"
    error_message = "The URI for --output names bucket and prefix."
  }
  assert {
    condition     = toset(aws_subnet.private[*].availability_zone) == toset(["a", "b"])
    error_message = "EKS and the queue want two zones."
  }
  assert {
    condition     = one(aws_eks_cluster.this.vpc_config).endpoint_private_access
    error_message = "Nodes must reach the cluster's API though the public is kept off it."
  }
}
