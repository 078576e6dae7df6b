import Cryptography
package import Sealing
import Storage

/// The folders that a store's key files are read from: `keys/`, and after it the credentials that systemd gives the service.
package struct KeyFolders: Sendable {
    /// `keys/` of the store; new keys are written here.
    package let own: String
    /// `$CREDENTIALS_DIRECTORY` (systemd.exec(5), LoadCredentialEncrypted=); nil outside a service with credentials.
    package var credentials: String?

    /// The folders of a store.
    init(own: String, credentials: String? = readEnvironment("CREDENTIALS_DIRECTORY")) {
        self.own = own
        self.credentials = credentials.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// Whether a key file such as `main.kek` is there.
    package func has(_ file: String) -> Bool { path(of: file) != nil }

    /// Whether a key file is among the credentials, which this program can neither write nor destroy.
    func isCredential(_ file: String) -> Bool { credentials.map { exists(join($0, file)) } ?? false }

    /// Where a key file is; nil where it is not.
    private func path(of file: String) -> String? {
        [own, credentials].compactMap { $0 }.map { join($0, file) }.first(where: exists)
    }

    /// Reads a key.
    ///
    /// - Throws: `notPermitted` when it is missing, damaged or open to others.
    func read(_ kind: KeyKind, _ name: String) throws(IngestionError) -> SecretKey {
        let file = "\(name).\(kind.rawValue)"
        guard let path = path(of: file) else {
            throw IngestionError(
                .notPermitted,
                "\(join(own, file)): the key is missing; restore it from your copy, and see: sluice keys check")
        }
        let owner: KeyFile.Owner = path == join(own, file) ? .user : .serviceManager
        return try sealing { () throws(SealingError) in try KeyFile.read(path, kind: kind, owner: owner).key }
    }

    /// The names of the keys of one kind.
    package func names(_ kind: KeyKind) throws(IngestionError) -> [String] {
        var names = Set(try storing { () throws(StorageError) in try listFolder(own) })
        if let credentials, exists(credentials) {
            names.formUnion(try storing { () throws(StorageError) in try listFolder(credentials) })
        }
        let suffix = ".\(kind.rawValue)"
        return names.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
    }
}
