variable "name" {
  description = "Start of every name that is made here."
  type        = string
  default     = "headlight"
}

variable "dataset" {
  description = "Where the images are: a bucket that exists, and the prefix in it, which ends with a slash or is empty. Only ever read."
  type        = object({ bucket = string, prefix = string })
  validation {
    condition     = var.dataset.prefix == "" || endswith(var.dataset.prefix, "/")
    error_message = "The dataset's prefix must end with a slash, else it would also name its neighbours."
  }
}

variable "output_bucket" {
  description = "Name of the bucket that is made for results; names are unique in all of AWS."
  type        = string
}

variable "output_prefix" {
  description = "Prefix of the results in that bucket; ends with a slash or is empty."
  type        = string
  default     = "saliency/"
  validation {
    condition     = var.output_prefix == "" || endswith(var.output_prefix, "/")
    error_message = "The output's prefix must end with a slash, else it would also name its neighbours."
  }
}

variable "old_version_days" {
  description = "Days for which overwritten and removed objects can be brought back."
  type        = number
  default     = 30
}

variable "cluster_name" {
  description = "The EKS cluster that producer and workers run in. It has the add-on eks-pod-identity-agent."
  type        = string
}

variable "namespace" {
  description = "Their namespace in it, as in infra/kubernetes."
  type        = string
  default     = "headlight"
}

variable "vpc_id" {
  description = "The cluster's network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of it, for worker nodes and the queue."
  type        = list(string)
}

variable "node_security_group_id" {
  description = "Security group of the cluster's nodes: who may reach the queue."
  type        = string
}

variable "queue_node_type" {
  description = "Size of the queue's server. A job takes less than 1 KB, so a run of ten million images stays below 100 MB."
  type        = string
  default     = "cache.t4g.small"
}

variable "queue_replicas" {
  description = "Copies that take over when the server fails. Without any, a failure costs the night's queue, which the next run rebuilds from the store."
  type        = number
  default     = 0
}

variable "queue_passwords" {
  description = "Passwords of the users headlight and keda, 16 to 128 characters each, letters and digits. They stand in the state: keep it encrypted."
  type        = object({ headlight = string, keda = string })
  sensitive   = true
}

variable "cpu_instance_types" {
  description = "Kinds of machine for the overlay cpu, of at least 4 vCPUs and 8 GiB, the preferred first. Several make spot capacity easier to get."
  type        = list(string)
  default     = ["c7i.xlarge", "c7a.xlarge", "c6i.xlarge", "m7i.xlarge"]
}

variable "cpu_max_nodes" {
  description = "Most of them at a time. With 0 no such node group is made."
  type        = number
  default     = 4
}

variable "gpu_instance_types" {
  description = "Kinds of machine with one NVIDIA GPU for the overlay gpu, the preferred first."
  type        = list(string)
  default     = ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"]
}

variable "gpu_max_nodes" {
  description = "Most of them at a time. With 0 no such node group is made."
  type        = number
  default     = 4
}

variable "capacity" {
  description = "Of all worker nodes: SPOT, or ON_DEMAND at two to three times the price. A worker whose node is taken away loses at most its shards' work."
  type        = string
  default     = "SPOT"
  validation {
    condition     = contains(["SPOT", "ON_DEMAND"], var.capacity)
    error_message = "capacity is SPOT or ON_DEMAND."
  }
}
