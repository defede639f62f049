"""S3's errors: code, HTTP status and the sentence that AWS sends where the thrower has nothing better to say.

    S3Error
    ├── NoSuchBucket, NoSuchKey …    what does not exist: 404
    ├── MalformedXML, InvalidArgument …  what the request got wrong: 400
    └── PreconditionFailed, NotModified …  conditions that do not hold: 412, 304

The model names few of them and gives no text, so all are here. Source: "Error responses", S3 API Reference.
"""

from __future__ import annotations

from typing import Any, ClassVar

from cloudlet.emulator.kernel.errors import AwsError


class S3Error(AwsError):
    """An S3 error; `text` is its message where none is given."""

    status = 400
    sender_fault = True
    text: ClassVar[str] = ""

    def __init__(self, message: str | None = None, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(self.text if message is None else message, headers=headers, **members)


class AccessControlListNotSupported(S3Error):
    code = "AccessControlListNotSupported"
    text = "The bucket does not allow ACLs"


class AccessDenied(S3Error):
    code = "AccessDenied"
    status = 403
    text = "Access Denied"


class AccessForbidden(S3Error):
    code = "AccessForbidden"
    status = 403
    text = "CORSResponse: CORS is not enabled for this bucket."


class AuthorizationQueryParametersError(S3Error):
    code = "AuthorizationQueryParametersError"
    text = (
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
    )


class BadDigest(S3Error):
    code = "BadDigest"
    text = "The Content-MD5 you specified did not match what we received."


class BadRequest(S3Error):
    code = "BadRequest"
    text = "Bad Request"


class BucketAlreadyExists(S3Error):
    code = "BucketAlreadyExists"
    status = 409
    text = (
        "The requested bucket name is not available. The bucket namespace is shared by all users of the "
        "system. Please select a different name and try again."
    )


class BucketAlreadyOwnedByYou(S3Error):
    code = "BucketAlreadyOwnedByYou"
    status = 409
    text = "Your previous request to create the named bucket succeeded and you already own it."


class BucketNotEmpty(S3Error):
    code = "BucketNotEmpty"
    status = 409
    text = "The bucket you tried to delete is not empty"


class ConditionalRequestConflict(S3Error):
    code = "ConditionalRequestConflict"
    status = 409
    text = "The conditional request cannot succeed due to a conflicting operation against this resource."


class CrossLocationLoggingProhibitted(S3Error):
    code = "CrossLocationLoggingProhibitted"
    status = 403
    text = "Cross S3 location logging not allowed."


class EntityTooLarge(S3Error):
    code = "EntityTooLarge"
    text = "Your proposed upload exceeds the maximum allowed size"


class EntityTooSmall(S3Error):
    code = "EntityTooSmall"
    text = "Your proposed upload is smaller than the minimum allowed size"


class IllegalLocationConstraintException(S3Error):
    code = "IllegalLocationConstraintException"
    text = (
        "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."
    )


class IllegalVersioningConfigurationException(S3Error):
    code = "IllegalVersioningConfigurationException"
    text = "The Versioning element must be specified"


class InvalidAccessKeyId(S3Error):
    code = "InvalidAccessKeyId"
    status = 403
    text = "The AWS Access Key Id you provided does not exist in our records."


class InvalidArgument(S3Error):
    code = "InvalidArgument"
    text = "Invalid Argument"


class InvalidBucketAclWithObjectOwnership(S3Error):
    code = "InvalidBucketAclWithObjectOwnership"
    text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"


class InvalidBucketName(S3Error):
    code = "InvalidBucketName"
    text = "The specified bucket is not valid."


class InvalidBucketOwnerAWSAccountID(S3Error):
    code = "InvalidBucketOwnerAWSAccountID"
    text = "The value of the expected bucket owner parameter must be an AWS account ID"


class InvalidBucketState(S3Error):
    code = "InvalidBucketState"
    status = 409
    text = "The request is not valid with the current state of the bucket."


class InvalidConfigurationId(S3Error):
    code = "InvalidConfigurationId"
    text = "The configuration id in the body is not the one of the request"


class InvalidDigest(S3Error):
    code = "InvalidDigest"
    text = "The Content-MD5 you specified was invalid."


class InvalidEncryptionAlgorithmError(S3Error):
    code = "InvalidEncryptionAlgorithmError"
    text = "The encryption request that you specified is not valid. The valid value is AES256."


class InvalidLocationConstraint(S3Error):
    code = "InvalidLocationConstraint"
    text = "The specified location-constraint is not valid"


class InvalidObjectState(S3Error):
    code = "InvalidObjectState"
    status = 403
    text = "The operation is not valid for the object's storage class"


class InvalidPart(S3Error):
    code = "InvalidPart"
    text = (
        "One or more of the specified parts could not be found.  The part may not have been uploaded, "
        "or the specified entity tag may not match the part's entity tag."
    )


class InvalidPartNumber(S3Error):
    code = "InvalidPartNumber"
    status = 416
    text = "The requested partnumber is not satisfiable"


class InvalidPartOrder(S3Error):
    code = "InvalidPartOrder"
    text = "The list of parts was not in ascending order. Parts must be ordered by part number."


class InvalidPolicyDocument(S3Error):
    code = "InvalidPolicyDocument"
    text = "Invalid Policy: Invalid JSON."


class InvalidRange(S3Error):
    code = "InvalidRange"
    status = 416
    text = "The requested range is not satisfiable"


class InvalidRedirectLocation(S3Error):
    code = "InvalidRedirectLocation"
    text = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."


class InvalidRequest(S3Error):
    code = "InvalidRequest"
    text = "Invalid Request"


class InvalidRetentionPeriod(S3Error):
    code = "InvalidRetentionPeriod"
    text = "Default retention period must be a positive integer value."


class InvalidStorageClass(S3Error):
    code = "InvalidStorageClass"
    text = "The storage class you specified is not valid"


class InvalidTag(S3Error):
    code = "InvalidTag"
    text = "The tag provided was not a valid tag. This error can occur if the tag did not pass input validation."


class InvalidTargetBucketForLogging(S3Error):
    code = "InvalidTargetBucketForLogging"
    text = "The target bucket for logging does not exist"


class KeyTooLongError(S3Error):
    code = "KeyTooLongError"
    text = "Your key is too long"


class MalformedACLError(S3Error):
    code = "MalformedACLError"
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MalformedPOSTRequest(S3Error):
    code = "MalformedPOSTRequest"
    text = "The body of your POST request is not well-formed multipart/form-data."


class MalformedPolicy(S3Error):
    code = "MalformedPolicy"
    text = "This policy contains invalid Json"


class MalformedXML(S3Error):
    code = "MalformedXML"
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MetadataTooLarge(S3Error):
    code = "MetadataTooLarge"
    text = "Your metadata headers exceed the maximum allowed metadata size"


class MethodNotAllowed(S3Error):
    code = "MethodNotAllowed"
    status = 405
    text = "The specified method is not allowed against this resource."


class MissingContentLength(S3Error):
    code = "MissingContentLength"
    status = 411
    text = "You must provide the Content-Length HTTP header."


class MissingSecurityHeader(S3Error):
    code = "MissingSecurityHeader"
    text = "Your request was missing a required header"


class NoSuchBucket(S3Error):
    code = "NoSuchBucket"
    status = 404
    text = "The specified bucket does not exist"


class NoSuchBucketPolicy(S3Error):
    code = "NoSuchBucketPolicy"
    status = 404
    text = "The bucket policy does not exist"


class NoSuchCORSConfiguration(S3Error):
    code = "NoSuchCORSConfiguration"
    status = 404
    text = "The CORS configuration does not exist"


class NoSuchConfiguration(S3Error):
    code = "NoSuchConfiguration"
    status = 404
    text = "The specified configuration does not exist."


class NoSuchKey(S3Error):
    code = "NoSuchKey"
    status = 404
    text = "The specified key does not exist."


class NoSuchLifecycleConfiguration(S3Error):
    code = "NoSuchLifecycleConfiguration"
    status = 404
    text = "The lifecycle configuration does not exist"


class NoSuchObjectLockConfiguration(S3Error):
    code = "NoSuchObjectLockConfiguration"
    status = 404
    text = "The specified object does not have a ObjectLock configuration"


class NoSuchPublicAccessBlockConfiguration(S3Error):
    code = "NoSuchPublicAccessBlockConfiguration"
    status = 404
    text = "The public access block configuration was not found"


class NoSuchTagSet(S3Error):
    code = "NoSuchTagSet"
    status = 404
    text = "The TagSet does not exist"


class NoSuchUpload(S3Error):
    code = "NoSuchUpload"
    status = 404
    text = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
        "aborted or completed."
    )


class NoSuchVersion(S3Error):
    code = "NoSuchVersion"
    status = 404
    text = "The specified version does not exist."


class NoSuchWebsiteConfiguration(S3Error):
    code = "NoSuchWebsiteConfiguration"
    status = 404
    text = "The specified bucket does not have a website configuration"


class UnimplementedHeader(S3Error):
    code = "NotImplemented"
    status = 501
    text = "A header you provided implies functionality that is not implemented"


class NotModified(S3Error):
    code = "NotModified"
    status = 304
    text = "Not Modified"


class ObjectLockConfigurationNotFoundError(S3Error):
    code = "ObjectLockConfigurationNotFoundError"
    status = 404
    text = "Object Lock configuration does not exist for this bucket"


class ObjectNotInActiveTierError(S3Error):
    code = "ObjectNotInActiveTierError"
    status = 403
    text = "The source object of the COPY action is not in the active tier"


class OwnershipControlsNotFoundError(S3Error):
    code = "OwnershipControlsNotFoundError"
    status = 404
    text = "The bucket ownership controls were not found"


class PreconditionFailed(S3Error):
    code = "PreconditionFailed"
    status = 412
    text = "At least one of the pre-conditions you specified did not hold"


class ReplicationConfigurationNotFoundError(S3Error):
    code = "ReplicationConfigurationNotFoundError"
    status = 404
    text = "The replication configuration was not found"


class SignatureDoesNotMatch(S3Error):
    code = "SignatureDoesNotMatch"
    status = 403
    text = (
        "The request signature we calculated does not match the signature you provided. Check your key "
        "and signing method."
    )


class UnexpectedContent(S3Error):
    code = "UnexpectedContent"
    text = "This request does not support content"


class UnresolvableGrantByEmailAddress(S3Error):
    code = "UnresolvableGrantByEmailAddress"
    text = "The email address you provided does not match any account on record."


class XAmzContentSHA256Mismatch(S3Error):
    code = "XAmzContentSHA256Mismatch"
    text = "The provided 'x-amz-content-sha256' header does not match what was computed."
