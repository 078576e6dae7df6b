/// Made by pyca/cryptography 50.0.2 (over OpenSSL) from the seed 100, 101, … 131.
enum Pyca {
    /// HPKE of the key 0, 1, … 31 by X-Wing, HKDF-SHA-256 and AES-256-GCM, with `ingest/edk/hpke-xwing/v1a context` as info: base64.
    static let wrapped = """
        fDh2RN26v3hnZom0g+c2EXkmVTfX+gOoayuxsCOVPegbWQKj7SA/lFWuaBi7JApnY+WJ+JgZgACIOw588zqeMIjIKD27HIeTOKWHDL4qB2qI\
        UrA6AJFFsFPZqAj46Hi4MZCKkwQE6HkgCBjFiR4Ccw9fJvJunhZhOkf5BNFf2YTaFgti5MWbhfjPUfLVtvEP1fRmS0I0uK0YPY2XFdBjUYfK\
        BgR6VsQ+ow5ET2i9EJbY0HsQrXiKvvyHbmlF1HjCi4OnmVIsxCBnrEPzNmkUaREDe3M6jL33yxXIzt8qAZq4pJHKrirGRTIsPjE3wMXOlbn6\
        XNztWCwSeEKk0gaE2tFC7uLBiGIMcuYOSr9PyRz8TG6KHcbx2IOYPf0qJhaMYGqeJyz1gLsYWuTGebp62CpiCCHc+BT7UXa8qLPXXKLKU2t4\
        VSzLXgQLlnxj4OG0fs1OrMexUt9YCY9CW6xBeyexbPEqLICNUy/vqYRPa5ij/WKkBF0YkZZHWCjIh0e4WqFlK1UUJwfhegYfKVnNuwutEKS/\
        df+Bot/lrZQqzqtaFcLpP4Pph2UpqZLFCjxOEso0HxPGc9IEOivWwkvLLcYsovWMfD8zmA45jZYPDqtGuT0zaC1wMP60CZ/QGUb5crkCv8z/\
        CkHI8bC9JKd+qg7iO+lF4MTrbJ25U9IZ92N3+Iy6KKR5QKlPmdC/PnjDF0KKF/p2OG28b10dUdXAlvGcBNleY+5Zd3P6H0BEA+PFfIi9CTnr\
        7fpXA+xb/yfKxZOkS+VU9P4D3Qq9glQFldr4bUnlLoL0XkREcAadh1wudI4pabrrA5KZX9zQ8lEPahXMucq7gppEP0PFP8xyAeoHBZpH1RH5\
        MbwoqERBXfA1tKrxHwsde3eq12W+Oq/WhBFF5VzGLNwgctW+yvk8lArvJFtJ4A2nuqsG8mkfTq78gre5vE35FbZ+9WEt8UEESjO/wbXCgRjE\
        6tkg5wAWq81jxtsoO1LIpklSj7psa34TEnp86rnfZLi3a0kGfB57NPOosKhUL0ycwUc4KrS99NS5q5Tl2L5qp7MOHLbqzjyNfM+iQC/RzQRG\
        qLzimvIs1sSKAEUq1Q5DD+aU/KLBCEkVkfnh0ErM0M534ClVmgaJWqJgKKbgzhlARGep8EachwC8YBhIjV5m2bLNEEq1HpoZzy2ec+ZEw5AP\
        Z7x1naOyZZ0VzePZhQXWggwh11D3TRg8WnoBRm5gNRSEApp2du0UAxTzf0T1z4l3cg0FYC+UCqi2vXZLt1g6NbhTlaJUYNIiT6LyTsP1ZTT4\
        QXqOsto14mTIW1FlyTc7r087kClj/Ayb7GxmcLMK4iAWBYL2p/k5wjzMVlt0zWF/ZhTmMjZIITRBfvbGHD0GO6qo9eL6WHbS8STcQp2FtSQC\
        kxRhhfoEeJ7uaE7GW6hWfhG7L1LZWx7DMz2l4ysYY6B4DdGau4WoreUx9D7A/k+g2oJMxu3IDoMeYeoxVaPgw9QjBwxkDQ++G40pqg4/+66j\
        KPxFFEa5n4aQRpWVDP8A++sXi43yFDgIL6uzUQAAdHiXUQ==
        """
    /// SHA-256 of the X-Wing public key.
    static let xwingPublicSHA256 = "0903294138b29507cd5c9c91eb12bba7bd92ffd30b80954b440ce2af9a30aa75"
    /// The ML-DSA-65 signature of `a checkpoint` and a line end under the empty context: base64.
    static let signature = """
        Xwd1MCnQ10xxx+BfwAFrW2IRz/6iO23IELMgJugSQ86xxXaWqVYZZaXDK/gEP0JrjxkOXZ+7NVIRAK1O5ew4JybKhTRqjS7H+iJnvN0MwFk//qfN\
        XFTa+UBh9F9gvxeYjmeXaBknsfzqIBoOCDlVESmf8vry3eRQ7hJs3Op5S3lSt5U2y9oZdspfPEjNklC54uoyTN/Fp1R3V+uhETRRXNL4yN33Lch5\
        1tf/zWVhWVj79jxQDc5uXNFXmVDK84E1ZV/I51I3bCdnKtNrGY6ktQJTVa459nKxP93oJp4I85gT8/uveD9EwXvOHckRcgNGHGaMPERvq/+4LLDz\
        2t1aT8TVPsZxjCjVqQEmppgTY2Andj5CHlCbrguQgzSMTwlL5p8WpJdC8xTf61/w5t2rr/3880XdvyJRwBm0WjFzOKp//xW+169J+Y27A5OWydya\
        rrnfzmmqGD9iaJm+QxAM6idOCfA+J94KDyo8yLY3oiqSAzbalOXnxXDEwqKWobuSbonAtkzemsDUPZrAXuIZCyZpBZRaMUSTvY7UKRf7z1FQkOte\
        Od/H2DL+Gje0faY+8dbyp1kMPmOfCzmGzHnRHJhOkG3EgCVqSsJmdaYw4eU/s+LwEMteHYCniSh9feUgOrge0C4Jgyg7hh1ibaNxjS8SBJw1ehVt\
        tw6R+T8PxkkuR03JFHbXEiTE8sjE5kgfabsGUUZdS8yIjrCYbxWq+7JHEPJNuP2Frx6VDc+jN6kGejbRdHK6pp3rlEBoezSMFUjyTxfA5H2UO8dt\
        nV0A49EYFGsgbJLmPzqrLX6A1V8h2efJEe4BFXI5I3Vv0gDvxrbZD566Xjeoq4LjkCE5BmVjYw2b4MBe30Jw+K+s645h7Ebla5YP5BTO3+ONyK4S\
        PtScjWnVbqMq0b4naTgm5wqGA6FGiLOepF0v/HV75UYwkWBnDR14nlog9bmP1ZIEheyvXcdxsc2yNSKUKc+zTbX74ACaeUebDQhTkRqpgPJ2w/Y/\
        VNSf4KTP7tKcOxuYH9cOTS1YE1L4MCAgqzPWEfrP9ooCx+gOZj7sXkxLyXJyN2NkF1ADNIZML3TVNBBShBa6M4fVPSMLQgD3m2vJDTxyXLiLZRk1\
        0te8G0dtDi0cDJJYQ7KwnUVzGMv4UJFt5tnQli+zX3TTW0lM01+CJnEie7VI3krhLoYyFVXZ79yb05AaZrR8WiZ5wz0XeuZPwLRyUiwosk8Qc6vu\
        mMEUWs4NZ0teDAOkrbzboQ2b2WpM4wNf1WP37tGvJN/aRohan+L6msjXIDGH3CYoZ+O3+edEqCfW6Aoj9vuWg5e4D1zuDb/u1nxNzg93qtXmlCj2\
        BTLYQKXIZFy+HHRFnxblKJoTptfu4wMNovtMpVViux/zFcW6oI6a/zGwQVIbDbNTSaZ5z7Z1NgVoN/v7t1o+qG6evlVuzdf4oTyyuto3e0461+/O\
        rjnGYIJwc1lgVBmCjeSPKQPY/RlIRExjXxY0vfdh+ot4CbbRclaiHvHiwHvKsTA32glGC7VW6rC9O+O3eGsBYRA8HCtQGeHeJxbwjm7DQhyIU5+Z\
        SgSGgcsy+wFYP3p1XfLRoiIawbKmJWTJkUlBu/aAwOeJ4H9k5bs1Rg8w5GhZyxQwhpT4cUhjEmrgdRaceEF065cqFW2nRfDnSIw/Ffxzw97LWGF5\
        F/ee3A3LRSRmpNkFbcEpSPFnbfk2arB34ttj+mNcn0FvqaHlIMptdsaiDvA1RllV53q2dVpf/aw8vuoEL1P5yUZJg9rcJJTyY8lHiGoFerK40GwH\
        WPIBkkVvyiAMjL/Au7vg7JX2sTEWWEqlxZCCNV7Ldqnoyy2/4fdBG/Xa5fn7oUAqzt6UCHtDTfegqrHopLSkeGG3cUqVnXDdL2N0sOttIaJYvzac\
        QZ891frGG7m58zUG/JCGEJ8GqGdRmnsN2XBQEcHysEl78qSWlf3jnJ3JmE19OxdTprkDOucVc9Wz45mKn/OnXMoiPcEtQ8rUdP2DEaxVQc5rESTB\
        YIfXfVG2ENOp4nIZLj0BT/+eiNW/x+eoJ3ZNqfKj3IexJtaweW/bmZVgJFEO7Glm96gKC1kMW9Xv7gwdMn4Z1pZ6JiqictOpsLfOPMrD+XDl0zo5\
        KNZGcQaC506Ht7MOinXysHuag+d3dEJbduPqrbygPboe+tDYENif/+nRK+66pqj9SKDtkh9h6ft6pPlbVaSuYJ0Ah6K78tu9WfsiN8khsB34Gn3Z\
        0H+41E0uJFQ6OAXQddbNx+SnDmJy9+x3BB5EM8m4kowSkxtlJvQZZi3oB47EHdulFt0jOjgPM7/KSBPS49TNOLPbT8X3XASQmvFyM99iRntQgWv4\
        6R5NUr2uybFqKZKGuOVdZ56xtXn8Eq27L4Tjvpzn3XGxaREjmlVBgGJ6axoB5yB/85NBeId++ut3/IFgKIF+/XdNvmQMMVwD351XqMyCfKkWfvwB\
        kgAYpTuth8WBsWCT7DyjD/3/0HpChBjmbLinYgFxejhq6lImiBXLvpKQyLGQDG6E41zNxoWMPWbIIJXstZ87ZW1LrNwpoRhsnHaChrAzx5Yy6MC6\
        NU/BlY4FTbZvITJa94rrnZPjH5I+zEzoSYJzY/UkJAxNc/kmDJQpT6Apkl+Qwf4oKIV4Asoi2HuX6VRhUfD2ijnh24BsKgfdQuWYlzCPw79TgFh1\
        jwMP8Gt+yMKkqGol4yET9bZqGku1i4slXsO8Hb128/eiByeuCiac6wOsMMwy400JFj9AX+67UthnC7JIVRXxqyupEobYQK3iMlcqGdVI55g/mnjP\
        w3el0l3NUcplLVcp8tfeXuuhLz19MgCY8PPznKi0ktFmmu2Gfk3cSNxXL6t53SvWn1NhGN2w21KwYn7Yi4+KYfhUqZxlD7yCsrdW4GVKR5frU89x\
        2YlFyAP1HkQcpWjeQ+5sej6TIThHmQJ2A3iVwzgXOLjqgsBH+w93aZRcfVSmYMIy7tOnE82D2OLcs1qwnhUnLvEGPKPWWd6h4BaaJ5HgnFEuGP1f\
        5Q/aoXgQFttmL113w7D5L3ktKOdsC5+FODnT7ImvR3pnMi41pKGZevZsEdITvJiXjOP555tbrYvy2FsHaZMmt+g4Xo+IUcQZ4k0oFZirjjxJm0d2\
        +KmBexctnZvVNrulTkfDmVnLJIRM/XqYo3jnnoFnJJ/EsD7y7UhFcPreojCqScuS4kaeaa9hCu+sFRSAnDP8Tmv/+LFs3LKP6dPHTeK70oc5hDjZ\
        m61IfscXle8IrbvDrnatUBeyd62X5UXTmjPAQFdXDs6ZQ8ewNeuauaFVqTV4a49BiolvLWEbcIZaemVow6ALFPQh4CK7vKE35CNSaWwbTpl+B9sG\
        WarOJtNGp+Mmso6nolC2NXZGYxnOleItBZzZCpWsCzasMPNtVN5XEBoCbXlFK77+CagZrMzMGTiGch78TK9OEIsukJ4eR4FIP92f2JXisXF28AmL\
        2c1WifjZMPIkA1SbXq5wUJ0ZkEbCT5j2fHopw41TXpM4G/LAswtphYPMe3q1mHpjj5yIxvVI3L/IADnRHL0PUBFo1Iu5PQPPY9wgGst/lGSHovQo\
        2pJRCQGMzMI+1S0ZSkNrfEQSTPvaqqiDLnPyzy6gCyAp5flAlkQT/xgpXbmaygIYSi4te6jpcVO5xNCyMvGssmN4hXk6gyaAa1S1bF2YoP2foXQ3\
        tA+4td5iAzqZmdGBxmL/S0ZVabT1FeE8KJCMS8kAvSz93wwZdMPsKSR//QC0o4o+qLbTeTjc2yP2EzDP5nWcVw4GZcC70oHXcGPLo5zH2E1puGrI\
        Nhy4FyFLa+7w7MFnf2JkJFBA0PcJh111bHZzcDVeCRIICFZbwSOD0uK1HRBiqQDbWVUA4ux7Oq+00vOK46F1Mp4EsQ9+FH0nt58hIFmvXuSsz4k/\
        aQXCK3K7smuBcLF1tNhaaM56DNi7dwJOfGNrFr9CuU/X88gX7NkZQd+lIN3zedenCz2traWGIMLyhtLZ2/l+WDOZg2Jrqu5y3HS39p7GD83JZS8c\
        kAXANyS/J05iLCad4eSvrUWSZjPqEpBio2hbdNVX+hhrHQNZmdhkOPE9KbQCJw3ryNj4K8K6lc5tKm5OP3XU6nPJGoEgsAlRMyK/PA3FlJwO987d\
        LphHkNeksrky5SptEmIcDBWJzPeTntFLX7QnhEvQ+mIVZo/xpgaf6PqD/Jtr7zxaF3sIJax9XjPDq4EPilllKR7hiVJJ+grI6T9MTGnd1zIFC7nH\
        IIMs83nzAzluh9LDlOdbg6AmvBQ/PwX9lXVHm5FmSgxRqHR25cn+iV40aToixkv6P4A+TIdr28ZMDoGN0dI/PFR+lKyuvsHXLkx8lpud/Dhrd4Gc\
        /P4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQYHEBce
        """
    /// SHA-256 of the ML-DSA-65 public key.
    static let mldsaPublicSHA256 = "bd3f4f9fff634bb659b2bbf6fd3715e8e2faf91ea935fb2e7798c4c662f88c0c"
}
