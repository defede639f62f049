// A small shop: what an application of a few queues, topics, tables and buckets looks like in the AWS CDK.
const cdk = require('aws-cdk-lib');
const dynamodb = require('aws-cdk-lib/aws-dynamodb');
const iam = require('aws-cdk-lib/aws-iam');
const s3 = require('aws-cdk-lib/aws-s3');
const sns = require('aws-cdk-lib/aws-sns');
const subscriptions = require('aws-cdk-lib/aws-sns-subscriptions');
const sqs = require('aws-cdk-lib/aws-sqs');

class Shop extends cdk.Stack {
  constructor(scope, id) {
    super(scope, id);
    const orders = new sqs.Queue(this, 'Orders', { visibilityTimeout: cdk.Duration.seconds(Number(process.env.TIMEOUT)) });
    const news = new sns.Topic(this, 'News');
    news.addSubscription(new subscriptions.SqsSubscription(orders));
    const removalPolicy = cdk.RemovalPolicy.DESTROY;
    const photos = new s3.Bucket(this, 'Photos', { versioned: true, removalPolicy });
    const carts = new dynamodb.Table(this, 'Carts', {
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      removalPolicy,
    });
    const worker = new iam.Role(this, 'Worker', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    photos.grantRead(worker);
    carts.grantReadWriteData(worker);
    orders.grantConsumeMessages(worker);
    new cdk.CfnOutput(this, 'QueueUrl', { value: orders.queueUrl });
    new cdk.CfnOutput(this, 'TopicArn', { value: news.topicArn });
    new cdk.CfnOutput(this, 'BucketName', { value: photos.bucketName });
    new cdk.CfnOutput(this, 'TableName', { value: carts.tableName });
  }
}

new Shop(new cdk.App(), 'Shop');
