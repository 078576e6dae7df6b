import Reading
import Tabular
import Testing

/// The dialect of a sample, and samples that are refused as ambiguous.
@Suite struct `the dialect sniffer` {
    static let rows = (1...40).map {
        ["\($0)", "name \($0)", "2026-11-\(10 + $0 % 20)", "\($0).5", $0 % 3 == 0 ? "it's, so" : "plain"]
    }

    static func text(
        _ delimiter: String, quote: String = "\"", escape: String? = nil, end: String = "\n", header: Bool = true
    ) -> String {
        let all = (header ? [["id", "who", "day", "amount", "note"]] : []) + rows
        return all.map { row in
            row.map { cell in
                if let escape { return cell.replacing(delimiter, with: escape + delimiter) }
                guard cell.contains(delimiter) || cell.contains(quote) else { return cell }
                return quote + cell.replacing(quote, with: quote + quote) + quote
            }.joined(separator: delimiter) + end
        }.joined()
    }

    static func sniff(_ text: String) -> SniffedDialect? { DialectSniffer.sniff(Array(text.utf8).span, isWhole: true) }

    @Test(arguments: [",", ";", "\t", "|", "^", "~", ":"]) func `delimiters`(delimiter: String) throws {
        let found = try #require(Self.sniff(Self.text(delimiter)))
        #expect(found.isSure && found.width == 5 && found.regular == 41 && found.rows == 41)
        #expect(found.dialect.delimiter == delimiter.utf8.first && found.dialect.headerRows == [1])
    }

    @Test func `quotes, escapes, line ends, comments and headers`() throws {
        let single = try #require(Self.sniff(Self.text(",", quote: "'")))
        #expect(single.dialect.quote == 0x27 && single.isSure)
        let escaped = try #require(Self.sniff(Self.text(",", escape: "\\")))
        #expect(escaped.dialect.escape == 0x5C && escaped.isSure)
        let mac = try #require(Self.sniff(Self.text(";", end: "\r")))
        #expect(mac.dialect.lineTerminator == 0x0D && mac.dialect.delimiter == 0x3B)
        let commented = try #require(Self.sniff("# made, by; somebody\n# twice\n" + Self.text(";")))
        #expect(commented.dialect.comment == 0x23 && commented.width == 5 && commented.regular == commented.rows)
        let headless = try #require(Self.sniff(Self.text(",", header: false)))
        #expect(headless.dialect.headerRows.isEmpty && headless.headerReason.contains("number"))
        let plain = try #require(Self.sniff(Self.text(",")))
        #expect(plain.dialect == Dialect())
        // A single quote that was never closed is one bad row.
        let open = try #require(Self.sniff("id,n\n1,\"a\n2,b\n3,c\n"))
        #expect(open.dialect.quote == 0x22)
        let one = try #require(Self.sniff("name\nanna\nbert\n"))
        #expect(one.width == 1 && one.dialect == Dialect())
    }

    @Test func `a header with one label less than each row has cells is told, and why`() throws {
        let names = try #require(Self.sniff("mpg\tcyl\nMazda RX4\t21\t6\nDatsun 710\t22.8\t4\nHornet\t21.4\t6\n"))
        #expect(names.shortHeader == .columnHasNoLabel && names.width == 3)
        let ends = try #require(Self.sniff("a,b\n1,2,\n3,4,\n5,6,\n"))
        #expect(ends.shortHeader == .rowsEndWithDelimiter)
        // A single row with too many cells is a bad row, and a header that ends with a delimiter has all its labels.
        #expect(Self.sniff("a,b\n1,2\n3,4,\n5,6\n")?.shortHeader == nil)
        #expect(Self.sniff("a,b,\n1,2,\n3,4,\n")?.shortHeader == nil)
        #expect(Self.sniff(Self.text(";"))?.shortHeader == nil)
    }

    @Test func `two dialects that explain it equally well are not chosen between`() throws {
        for text in ["1,2;3\n4,5;6\n", "a;b,c\nd;e,f\ng;h,i\n"] {
            let found = try #require(Self.sniff(text))
            #expect(!found.isSure && found.rival != nil)
        }
        #expect(Self.sniff("") == nil)
    }

    @Test func `a corpus of files is read as its authors meant, or refused`() throws {
        var (right, refused) = (0, 0)
        for file in SnifferCorpus.files {
            switch try SnifferCorpus.judge(file) {
            case .right: right += 1
            case .refused: refused += 1
            case .misread(let how): Issue.record("\(file.name): \(how)")
            }
        }
        #expect(SnifferCorpus.files.count >= 400)
        #expect(100 * right >= 99 * SnifferCorpus.files.count, "\(right) right, \(refused) refused")
    }

    @Test(arguments: [
        "ds,y\n2015-01-01 00:00:00,23.5\n2015-01-01 01:00:00,24.5\n", "Time,Water flow [l/s]\n10:00,1.5\n10:05,1.75\n",
        "url,n\nhttp://a.example:80/x,1\nhttp://b.example:80/y,2\n", "id,2021,2022\na,5,6\nb,7,8\n",
        "d,m, amt ,e\n1,AB,660,x y\n2,CD,504,z w\n", "v\n\"1,000\"\n\"2,000\"\n\"3,000\"\n",
        ",zip,n\n0,41190,6.5\n1,41191,7.5\n", "id,note\n1,a; b; c\n2,d; e; f\n", "a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11\n",
    ]) func `plain files are plain`(text: String) throws {
        let found = try #require(Self.sniff(text))
        #expect(found.dialect == Dialect() && found.isSure && found.explains)
    }

    @Test func `marks are earned by rows that the plain reading cannot split`() throws {
        let nulls = try #require(Self.sniff("id|a|b\n1|x|\\N\n2|y|\\N\n3|z|w\n"))
        #expect(nulls.dialect.nullSequence == Array("\\N".utf8) && nulls.dialect.escape == nil)
        let titled = try #require(Self.sniff("Report of May,,\n,,\nname,qty,price\na,1,2.5\n"))
        #expect(titled.dialect.commentRows == [1, 2] && titled.dialect.headerRows == [3])
        let answer = try #require(
            Self.sniff("Extract of 2026-01-06\nid;owner;price\n1;Energy;1,5\n2;Oil|North;1,6\n3;Gas;1,7\n"))
        #expect(
            answer.dialect.delimiter == 0x3B && answer.dialect.commentRows == [1] && answer.dialect.headerRows == [2])
        let units = try #require(Self.sniff("t,v\ns,m/s\n1,2.5\n2,3.5\n3,4.5\n"))
        #expect(units.dialect.headerRows == [1, 2] && units.dialect.commentRows.isEmpty)
        // A word for "no value" in the first row is not a label.
        let missing = try #require(Self.sniff("id,n\na,unknown\nb,2\nc,3\nd,4\n"))
        #expect(missing.dialect.headerRows == [1])
        let inches = try #require(Self.sniff("part,size,n\npipe,5\" wide,1\nrod,7\" wide,2\nnut,thin,3\n"))
        #expect(inches.dialect.quote == nil && inches.regular == 4)
        let data = try #require(Self.sniff("ham\tPlease call John at home\nspam\tWin now\nham\tSee you there then\n"))
        #expect(data.dialect.headerRows.isEmpty)
    }

    @Test func `encodings by mark, by pattern and by their letters`() {
        func guess(_ bytes: [UInt8]) -> TextEncoding { guessEncoding(bytes.span).encoding }
        let words = Array(String(repeating: "name,", count: 20).utf8)
        #expect(guess(words) == .utf8)
        #expect(guess([0xFF, 0xFE, 0x61, 0, 0x62, 0]) == .utf16LE && guess([0, 0x61, 0, 0x62]) == .utf16BE)
        #expect(guess(words + [0x4A, 0x6F, 0x73, 0xE9, 0x0A] + words) == .windows1252)
        // One invalid byte in a file of UTF-8 is an invalid byte, not another encoding.
        #expect(guess(words + Array("é".utf8) + [0xFF, 0x2C] + words) == .utf8)
        #expect(guess(words + [0x2C, 0xFF, 0x2C] + words) == .utf8)
        // A sample that ends inside a character is no evidence.
        #expect(guess(words + [0xE2, 0x82]) == .utf8)
    }
}
