# A bucket with versioning and tags, a queue with a dead-letter queue, a table with a global secondary index.

variable "prefix" {
  type = string
}

resource "aws_s3_bucket" "photos" {
  bucket = "${var.prefix}-photos"
  tags = {
    team  = "pictures"
    stage = "test"
  }
}

resource "aws_s3_bucket_versioning" "photos" {
  bucket = aws_s3_bucket.photos.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_object" "readme" {
  bucket  = aws_s3_bucket.photos.id
  key     = "readme.txt"
  content = "hello"
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.prefix}-dead"
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue" "orders" {
  name                       = "${var.prefix}-orders"
  visibility_timeout_seconds = 45
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 3
  })
  tags = {
    team = "orders"
  }
}

resource "aws_dynamodb_table" "songs" {
  name         = "${var.prefix}-songs"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "artist"
  range_key    = "song"

  attribute {
    name = "artist"
    type = "S"
  }
  attribute {
    name = "song"
    type = "S"
  }
  attribute {
    name = "plays"
    type = "N"
  }

  global_secondary_index {
    name            = "by_plays"
    hash_key        = "artist"
    range_key       = "plays"
    projection_type = "ALL"
  }

  tags = {
    team = "music"
  }
}

output "queue_url" {
  value = aws_sqs_queue.orders.url
}
