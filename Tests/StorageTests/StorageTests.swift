import Foundation
import Storage
import Testing

/// Runs with a new folder, which is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)")
    try makeFolder(url.path)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url.path)
}

private func name(_ text: String) throws -> FileName { try #require(FileName(Array(text.utf8))) }
private func path(_ text: String) throws -> RelativePath { try #require(RelativePath(text)) }

private func code(_ body: () throws -> Void) -> StorageError.Code? {
    do {
        try body()
        return nil
    } catch { return (error as? StorageError)?.code }
}

@Suite struct `Files are opened as what they are` {
    @Test func `a plain file is read whole, in parts, and not beyond its limit`() throws {
        try withFolder { folder in
            let path = join(folder, "a")
            let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            try writeDurably(path, content.span)
            let file = try FileDescriptor.openRegular(path)
            #expect(try file.readAll(max: 100_000) == content)
            #expect(code { _ = try file.readAll(max: 99_999) } == .tooLarge)
            var part: [UInt8] = [9]
            #expect(try file.read(upTo: 10, at: 99_995, into: &part) == 5)
            #expect(part == [9] + content.suffix(5))
            #expect(try file.read(upTo: 10, at: 200_000, into: &part) == 0)
            let status = try file.status()
            #expect(status.size == 100_000 && status.mode == 0o600 && status.owner == effectiveUser())
            #expect(status.kind == .regular && status.modifiedNanoseconds > 1_600_000_000_000_000_000)
        }
    }

    @Test func `a link, a pipe, a folder, a device and nothing are refused at once`() throws {
        try withFolder { folder in
            let (link, pipe) = (join(folder, "link"), join(folder, "pipe"))
            try writeDurably(join(folder, "a"), [1].span)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: join(folder, "a"))
            #expect(unsafe mkfifo(pipe, 0o600) == 0)
            for path in [link, pipe, folder, "/dev/null"] {
                #expect(code { _ = try FileDescriptor.openRegular(path) } == .wrongKind, "\(path)")
            }
            #expect(code { _ = try FileDescriptor.openRegular(join(folder, "b")) } == .notFound)
            #expect(try fileStatus(link)?.kind == .link && fileStatus(pipe)?.kind == .pipe)
            #expect(try fileStatus(join(folder, "b")) == nil && exists(link) && !exists(join(folder, "b")))
        }
    }

    @Test func `an error names the file, keeps its number and says what to do`() throws {
        do {
            _ = try FileDescriptor.openRegular("/no/such/file")
            Issue.record("it opened")
        } catch {
            #expect(error.errno == ENOENT && error.description.contains("/no/such/file"))
            #expect(error.description.contains("check the path"))
        }
        #expect(StorageError("write", "x", errno: ENOSPC).code == .noSpace)
        #expect(StorageError("write", "x", errno: EACCES).code == .notPermitted)
        #expect(StorageError("write", "x", errno: EIO).code == .inputOutput)
    }
}

@Suite struct `Files appear whole or not at all` {
    @Test func `a dropped file leaves nothing behind`() throws {
        try withFolder { folder in
            func drop() throws {
                var file = try StagedFile(in: folder, name: "a")
                try file.write([1, 2, 3].span)
                #expect(try listFolder(folder) == ["a.part"])
                #expect(file.byteCount == 3)
            }
            try drop()
            #expect(try listFolder(folder).isEmpty)
        }
    }

    @Test func `a committed file has its bytes, its mode and its name`() throws {
        try withFolder { folder in
            var file = try StagedFile(in: folder, name: "a")
            try file.write([1, 2].span)
            try file.write([3].span)
            try file.commit(as: "b")
            try syncFolder(folder)
            #expect(try listFolder(folder) == ["b"])
            #expect(try fileStatus(join(folder, "b"))?.mode == 0o600)
            #expect(try FileDescriptor.openRegular(join(folder, "b")).readAll(max: 10) == [1, 2, 3])
        }
    }

    @Test func `a taken name is refused unless it is to be replaced`() throws {
        try withFolder { folder in
            let path = join(folder, "a")
            try writeDurably(path, [1].span)
            #expect(code { try writeDurably(path, [2].span) } == .alreadyExists)
            #expect(try listFolder(folder) == ["a"], "the refused one is gone")
            #expect(try FileDescriptor.openRegular(path).readAll(max: 10) == [1])
            try writeDurably(path, [2].span, replacing: true)
            #expect(try FileDescriptor.openRegular(path).readAll(max: 10) == [2])
            try Data().write(to: URL(fileURLWithPath: join(folder, "c.part")))
            #expect(code { _ = try StagedFile(in: folder, name: "c") } == .alreadyExists)
        }
    }

    @Test func `renames do not overwrite`() throws {
        try withFolder { folder in
            let b = join(folder, "b")
            try writeDurably(join(folder, "a"), [1].span)
            try writeDurably(b, [2].span)
            let open = try OpenFolder(folder)
            #expect(code { try open.move(name("a"), to: open, as: name("b")) } == .alreadyExists)
            try open.move(name("a"), to: open, as: name("c"))
            try open.replace(name("b"), by: name("c"))
            #expect(try listFolder(folder) == ["b"])
            #expect(try FileDescriptor.openRegular(b).readAll(max: 10) == [1])
            try removeFile(b)
            #expect(code { try removeFile(b) } == .notFound)
        }
    }
}

@Suite struct `Folders and locks` {
    @Test func `folders are made with those above, and removed with those below`() throws {
        try withFolder { folder in
            let deep = join(folder, "x/y/z")
            try makeFolder(deep)
            try makeFolder(deep)
            #expect(try fileStatus(deep)?.mode == 0o700)
            try writeDurably(join(deep, "a"), [1].span)
            try writeDurably(join(folder, "x/b"), [1].span)
            #expect(code { try makeFolder(join(folder, "x/b")) } == .wrongKind)
            try OpenFolder(folder).removeTree(#require(FileName(Array("x".utf8))))
            #expect(try listFolder(folder).isEmpty)
        }
    }

    @Test func `removing a tree follows no link and stops at one`() throws {
        try withFolder { folder in
            let (kept, tree) = (join(folder, "kept"), join(folder, "tree"))
            try makeFolder(kept)
            try writeDurably(join(kept, "a"), [1].span)
            try makeFolder(tree)
            try FileManager.default.createSymbolicLink(atPath: join(tree, "link"), withDestinationPath: kept)
            let open = try OpenFolder(folder)
            #expect(code { try open.removeTree(name("tree")) } == .wrongKind)
            #expect(try listFolder(kept) == ["a"] && listFolder(tree) == ["link"])
            #expect(code { try OpenFolder(tree).removeTree(name("link")) } == .wrongKind)
            #expect(try listFolder(kept) == ["a"])
        }
    }

    @Test func `names are listed by their bytes`() throws {
        try withFolder { folder in
            for name in ["b", "a", "B", "é", "a b\n"] { try writeDurably(join(folder, name), [0].span) }
            #expect(try listFolder(folder) == ["B", "a", "a b\n", "b", "é"])
            #expect(code { _ = try listFolder(join(folder, "a")) } == .notFound)
        }
    }

    @Test func `a lock has one holder at a time and says who`() throws {
        try withFolder { folder in
            let (open, lockName) = (try OpenFolder(folder), try name("lock"))
            #expect(try FileLock.holder(lockName, in: open) == nil)
            func hold() throws {
                guard let lock = try FileLock.tryAcquire(lockName, in: open) else {
                    Issue.record("not acquired")
                    return
                }
                let second = try FileLock.tryAcquire(lockName, in: open) == nil
                #expect(second)
                #expect(try FileLock.holder(lockName, in: open) == Int(getpid()))
                _ = consume lock
            }
            try hold()
            #expect(try FileLock.holder(lockName, in: open) == nil, "let go, it is free")
            try hold()
        }
    }

    @Test func `a lock is never written into another file`() throws {
        try withFolder { folder in
            let victim = join(folder, "victim")
            try writeDurably(victim, Array("precious".utf8).span)
            try FileManager.default.linkItem(atPath: victim, toPath: join(folder, "hard.lock"))
            try FileManager.default.createSymbolicLink(atPath: join(folder, "soft.lock"), withDestinationPath: victim)
            let open = try OpenFolder(folder)
            #expect(code { _ = try FileLock.tryAcquire(name("hard.lock"), in: open) } == .wrongKind)
            #expect(code { _ = try FileLock.tryAcquire(name("soft.lock"), in: open) } == .wrongKind)
            #expect(try FileDescriptor.openRegular(victim).readAll(max: 100) == Array("precious".utf8))
        }
    }

    @Test(arguments: ["", "/", "/a", "a//b", "a/", "..", "a/../b", "./a", "a/.", "a\0b", "../../victim"])
    func `a path that leads out is none`(text: String) { #expect(RelativePath(text) == nil) }

    @Test func `nothing below a folder is reached through a link`() throws {
        try withFolder { folder in
            let (outside, inside) = (join(folder, "outside"), join(folder, "inside"))
            for each in [outside, inside] { try makeFolder(each) }
            try writeDurably(join(outside, "a"), [1].span)
            try FileManager.default.createSymbolicLink(atPath: join(inside, "link"), withDestinationPath: outside)
            try writeDurably(join(inside, "b"), [2].span)
            let root = try OpenFolder(inside)
            #expect(code { _ = try root.openRegular(at: path("link/a")) } == .wrongKind)
            let refused = #expect(throws: StorageError.self) { _ = try root.folder(at: path("link")) }
            #expect(refused?.code == .wrongKind && refused?.cause == "it is a symbolic link; give the folder itself")
            #expect(code { _ = try root.folder(at: path("link/new"), making: true) } == .wrongKind)
            #expect(code { try root.writeDurably([3].span, at: path("link/c")) } == .wrongKind)
            #expect(try listFolder(outside) == ["a"])
            #expect(try listFolder(inside) == ["b", "link"])
            // Without links everything works.
            _ = try root.folder(at: path("x/y"), making: true)
            try root.writeDurably([4].span, at: path("x/y/z"))
            #expect(try root.openRegular(at: path("x/y/z")).readAll(max: 9) == [4])
            #expect(try root.status(at: path("x/none/z")) == nil)
            try root.removeTree(name("x"))
            #expect(try listFolder(inside) == ["b", "link"])
        }
    }

    @Test func `paths come apart and together`() {
        #expect(split("/a/b") == ("/a", "b") && split("/b") == ("/", "b") && split("b") == (".", "b"))
        #expect(join("/", "b") == "/b" && join("a", "b") == "a/b" && join("", "b") == "b")
    }

    @Test func `a hardened process dumps no core and writes for its owner only`() async {
        await #expect(processExitsWith: .success) {
            try hardenProcess()
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0, limit.rlim_cur == 0,
                umask(0o077) == 0o077
            else { exit(1) }
            exit(0)
        }
    }
}
