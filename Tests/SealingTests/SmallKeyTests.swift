import Cryptography
import Foundation
import Sealing
import Storage
import Testing

@Suite struct `Small RSA keys` {
    private static func pem(_ kind: String, _ body: String) -> [UInt8] {
        Array("-----BEGIN \(kind) KEY-----\n\(body)\n-----END \(kind) KEY-----\n".utf8)
    }

    @Test(arguments: [(bits2048, 2048), (bits3056, 3056)])
    func `a public key that is too small is refused with the cure`(_ body: String, _ bits: Int) throws {
        try withFolder { folder in
            let path = join(folder, "escrow.pem")
            try writeDurably(path, Self.pem("PUBLIC", body).span)
            let refused = try #require(throws: SealingError.self) { try readRSAPublicKey(path) }
            #expect(refused.code == .refused)
            for part in [path, "\(bits) bits", "3072", "openssl genpkey", "rsa_keygen_bits:4096"] {
                #expect(refused.description.contains(part), "\(refused)")
            }
        }
    }

    @Test func `one of 3072 bits is taken`() throws {
        try withFolder { folder in
            let path = join(folder, "escrow.pem")
            try writeDurably(path, Self.pem("PUBLIC", Self.bits3072).span)
            #expect(try readRSAPublicKey(path).bitCount == 3072)
        }
    }

    @Test func `what was sealed for a smaller one before still opens`() throws {
        try withFolder { folder in
            let path = join(folder, "old.pem")
            try writeDurably(path, Self.pem("PRIVATE", Self.private2048).span)
            let old = RSAWrappingKey(name: "old", key: try readRSAPrivateKey(path))
            let (message, _) = try sealMessage([1, 2, 3].span, context: [:], recipients: [old])
            #expect(try open(message, [old]).plaintext == [1, 2, 3])
        }
    }

    // Made for these tests with openssl genpkey; they protect nothing.
    private static let bits2048 = """
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0qb3XY0qzXdQYNoYPzti
        yVhTm3jNaaTZGfAdLMI8uqqYxvYDhjEJbtZj2/7+/Zg2otEIAcGuGFyTm4tc7Ea1
        qcIx/FjZTkGldOL0ihgX1broSvwwHi9UjdW57bJQjgfZg+pOa9SDseZJ8tBg7hAb
        ww1ych2DJ3pnRxj4neZsx7qiXZQZVWC3j/7Q6vREuHU3gvChttG2AqFuNhvUZr7N
        nt+P27ZmlUCZaQxo+k2L8qR7Bs1kY/RuIiQR71Y1rwKtNzo2bcyuf6dNMcK8W+g1
        RMp7lzDyMNLikTY4FLMpSrmma6EEf2QpVphYWJsg9xvnnAZBFvU47G1Dfv4p7MoW
        UwIDAQAB
        """
    private static let bits3056 = """
        MIIBoDANBgkqhkiG9w0BAQEFAAOCAY0AMIIBiAKCAX8A1rVMwQLYjWBL8BAFUncr
        WsD8Va5Q02H5bPr9klfNSFkc+r6zorprcqaso9RNkQ9a/nZhVI/1IdnWwoMwZP2g
        zIpNDaVOwh0eDkNMjexSZx8LA7drmGSYIxtXd7U9ipfFp1d8B06+xqu3zyeU8OkT
        m9npOOD9RsN2sYSjKBYl7Go5oZf61PWcyj9B3OUhGGISDFbo0V78Z+ioCBOvqa5i
        O9n1iAttmywVsRlgoLKUxRaHMDoTm7e+eVgQ1JM8uslJlaH8jD0l3Mk0lx4FBmIb
        5HZQ9QpBOouw4mbSmvaEoQC5jl4bO5oP+PTdJ4r3+ufJUtB9b3zYZkcsVmkg7vaN
        BM1QKwaGzipDlzu7k7UevesNvOaYqj9kB2DuPq2P/d0/NIvUcu+lHbWB2jipJO5d
        m0N+PFKxPqwxwr8HRPM4fTR/jRrwTUO4o+eInt45DePAYoWvW7AeoG0QkbqMF9Aa
        kwyXnFtrhZ+gxnLuGYnuPu1wdxDKG4965DvIGqpUKwIDAQAB
        """
    private static let bits3072 = """
        MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEAw7EAMo/La39wpA+aAKDN
        LqUhqNM3wQALrvW74dofpXxsqxnSWwhm+smWyASnguAtfJmB5BS0mTRkyH3uCXQ9
        DJ4r+5I9YkYgnuPONDGx6kVH9fv3VHwYjoR3vH20HZV4ywuDi3ArNw2YnhTPIzFR
        1hqNzOOwEuACS5L5RcGPEiYErOTWmJAo34vF9dSi0cGxMUDsinc4WrI7xyIE81sA
        4lbmlRuCUPnp0zaO+6JxvD2k/1c2lwXieaT+spxk/U/KUUVHbfOHBBYwHftaSwjw
        mxgPWDQZVaXn5gY6tmttviKT5N/WPIwDSyPAE+GBY+HLMrkHxTGYBxOtbrThfrM4
        lSA95pxp83OFAQ6oDwy7OQlsO3pv5pMc/U1JlucVQg8ujA3h3lIHbgFHbRdysPaO
        BSmAzSDBJnhq+iO76U/kIbdIX5hnIDgjb+Gkhq+imOkAgqYuic/HmDL/HQXOn/Dn
        ieGoAY9P9KYwwZGUicxkYOx3dLMjuHO5NiDVeaAFizZ3AgMBAAE=
        """
    private static let private2048 = """
        MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQDSpvddjSrNd1Bg
        2hg/O2LJWFObeM1ppNkZ8B0swjy6qpjG9gOGMQlu1mPb/v79mDai0QgBwa4YXJOb
        i1zsRrWpwjH8WNlOQaV04vSKGBfVuuhK/DAeL1SN1bntslCOB9mD6k5r1IOx5kny
        0GDuEBvDDXJyHYMnemdHGPid5mzHuqJdlBlVYLeP/tDq9ES4dTeC8KG20bYCoW42
        G9Rmvs2e34/btmaVQJlpDGj6TYvypHsGzWRj9G4iJBHvVjWvAq03OjZtzK5/p00x
        wrxb6DVEynuXMPIw0uKRNjgUsylKuaZroQR/ZClWmFhYmyD3G+ecBkEW9TjsbUN+
        /insyhZTAgMBAAECggEAW6cW2KbbuTMRD1rFEvoBNM6P7gTFBxKY/S6aWweWCbfB
        KkwO43uBea6hGy6a/naUSwn83FrLJ0FcXeBoiUsIrnhWbE+yGNj6Jt26fT0XXcBp
        YnrQasm4FdAoifG8F9f1fW5cOZFozWX/xbyBeAMdOSQoJ9uMXYhl2CrWvUjtCobw
        pne6+yLBCNYEySS7F+nGNMyTvxmuXF5VL2+re28UQMFd+B0c+Es9k26XUNXZwePl
        ZkfQXs7SgAkxdkUG0eE5AzUBxq28TSqTDJETsToxGyRwrjxc2osI9AdEhB3z0tON
        EiQeIrGfPDtaRU+DmX6pEWkN/FmTqLwAwfOstc6/TQKBgQD4WjtYUAgTPIAgLFq3
        ZDRGb/SfZrTZxlTxQd5U6sM8fBH1ucMugcr0tnjYEPj5ssZA1BSNk4o1VwfB94UC
        0jyoxnLmjgfHX4C+MPHCBydfrwwgYkvVbZTPBlVjFSjMoghPZ446z/lAlRj/pKum
        +kL+n/MveAJzIFGkHCzrOyNwtQKBgQDZI4rfnmULFzr28PFz031P+7YP2HOcB5w8
        +s3qwpoqBZsgWis7OT24o/DjlJvopDwpDsk+rsXmulDS9dL+UxsuvGrG7Z82vgzj
        jkC6UOTQkDQsuNaO8uOeocGkdvuKz9CkaZ25AGMKbJsyJVdyHS7uYTa63SofCgky
        EAq1/ga35wKBgQDWYDUX30WJLVE/9Gl+Im4JWzyil+qGjW/nLT94t4k93a83GFnF
        /F2v7Q7VG5l/GPWPIkJ3jyLfNjfJFBrpu4aG/X5TS8ilLegYxHD7VmeDbbue/JqP
        Kd8o8UOlmq80LK3VtQMN+1YhjFIe4gsVwLMxzeoCUKp0rDIs4fFYQB0wfQKBgQCk
        04oTfVUOOjAUS4m9dojlMhldpdz8T/qVf3zX+6iyxVagFFJEvorPogK1fpVq32Cb
        ehHhdyHapwu7V8c2LzevHm+fWblGALYf9lfEFqvaddxlJloYYN/QBtHLWlZPZLjo
        VRPY3yZPP2n/gsECaoy5fyngZwoWTbP1QKAgzhejeQKBgQCrwqZxfJFjTu0vBDu8
        qo8J0stA9XJnPWK7QrIfCOnpm34m4tmTkPC0vkcEC4DJqkGMHmy2Dap3v+dfc4Mj
        R7cMvPrpTQMzA08yQIZKtCgHQFEmoXlTEKgkOBm9zGHfT9MzcNz7s6zZMrJuhK0l
        gqg9kZIp3Pmbdk2l5fTApDTQrQ==
        """
}
