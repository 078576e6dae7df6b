/// The kind of a credential, which is all that reports say about it.
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
    /// A random-looking text beside a word such as `password`: likely, not certain.
    case namedKey = "key or password beside its name"
}
