/// What a credential is; it is named by its kind only.
package enum SecretKind: String, Sendable, CaseIterable {
    case awsAccessKey = "AWS access key"
    case awsSecretKey = "AWS secret key"
    case azureStorageKey = "Azure storage key"
    case githubToken = "GitHub token"
    case gitlabToken = "GitLab token"
    case slackToken = "Slack token"
    case stripeKey = "Stripe key"
    case googleKey = "Google API key"
    case apiKey = "API key (sk-)"
    case npmToken = "npm token"
    case pypiToken = "PyPI token"
    case huggingFaceToken = "Hugging Face token"
    case sendGridKey = "SendGrid key"
    case privateKey = "private key"
    case httpAuthorization = "HTTP authorization"
    case webToken = "JSON Web Token"
    case passwordInURL = "password in a URL"
    case connectionString = "password in a connection string"
    /// A text without order beside a word such as `password`: likely, but not sure.
    case namedKey = "key or password beside its name"
}
