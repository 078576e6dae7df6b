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
    /// The ML-DSA-65 signature of `a checkpoint` and a line end, with the context `ctx`: base64.
    static let signature = """
        IkTIVGZKbBsUa8ymFYG+7nzTOrnolLTnIuxIvx3RPHyQBPGXP9U+PhFNmQV9WgM0dttVzrDE+X31QW9o8xF028yTr1INmp6FOk30NLEPoMwD\
        6q5FZ1wt/3rLEY042Jtqv/vapxBRVrFS7bu/hRXNJMYhUfvYbfvfdzhmBXu6VcXr9sgWB/dTloAC+PJa0jlIqvoJo4UJYK73kq85TzNr76z2\
        wx+CLcRk4NrPJHRx9gzFXWK/gaeqqzKst4Yl2dKHGy/VXuB63D48W2vNiHWR06jJsHVn9DkYM/V0U6c5ghhN8YfV87xgsZjZT48gVZCZKIwE\
        m0YttzvgKMbemhJP7V7y4G7HMOC+0rPdeIrfqBC5nB7mE2ErQjtgWjAxYY2NfeeUmQD8JxDlT6ct44YD8SPhR0NTqFWPNLBHmWRb1WP+yRRC\
        bek8GmXLkiLYLpz0vbhzLRIdlaexu5l5MFfX2cZc4T1JRW2CtKvRfQAO+euEh780IQYY0HcmKpSS5S87s54p+/592a4MYNWIECvud8ClTo/L\
        OgmqBz8zQF+4mkTngt/Zbq0o6gSuBPmjd0Vs+F2rr04JS8p1tipqmqI0Fe4Oi+sXlraF1RgogsD6fBBFKxcj/5LByMdeuoxG5r0DJqQjkp1w\
        h/DMGC5yH+3YSIJzU0MC9R9ETcXVU8+04pvTYIY1uy0HVGM3oj5dUgGjipZkVZRsgNt7E8dORx2IrcCQHHq0ehk6huf+uqkkUvL0VPobHIVc\
        PQnfcqHqoeLu7f2/spvxV9aEGm48fFEJRZcCPbQXZJSwWBOr6HUaKu3d9HkP7JvMuBgKDfhEc79pJMJXghBe5JXXrWQiRBjojKqN0GwtHMp0\
        ZNpNTNdPs2okv+giwwk3G5Gpbqw5WpRcTwH1oS/dclB2tGDL4yM0jkjs9q7tBnjWhTVqni6G1e+BKB9u8rPChPsyR5N0NJTIXWfWxLQ28KPf\
        U/gxVrEG4l0Whfham5HxiM8zvri+H1yQbhsSGb5pbEggiUP0wGsol4valVCcd96Sjj1ln0H00brhIWPmrfDAow5Bw3LO4YSTnv1ERWYj5D9B\
        qj8D5o/fGK31U7sxrSyKxC5oaBiYVWPe5qVBG/yOPW51aij1kviXBEhjjdM42fKLl0I6JwKNgtfg2kEMvib0jVAO5a7P4aELK8mES9nCuQfA\
        3zh4LOzwbs4/d2q6PYlcz6CBda6OwTeFQdSUfccf347eYWwehNkcio6HWD/oE1PbeMBy9q21p/2uXOUfBc13+peEJ9KlOu12pJxTuC7Zr90Z\
        4jGTFFu0q3KmiyZGmnol5Bm9alfdY594bOZkcYsTwPNSET+cPRv+whJd4HZu7PTQYH5iNBDLv86nmJccTxJhyTUEJPkk8+wK9KLBKn88EAgt\
        3f0rPR5qWwnNPrVH9X7NxartCgMJWtfhXRN35Dx9zMfKt3l5gza75shLKQ6o7RLJRR9pQpRWYTxFI7rHnB9J/ZGYRVvGb3xNjtc+9rRvUEbz\
        RJgcuI4qA4rl+U6kdV1rjNbK7OBMuJRni/XmWjCapFdaeSnt/CErM/coAUA6drLxr+cD2+ecJLqEjrdPjWi0uXyUT/8tvl8wXhxTchT5+30M\
        TmC++LRmXLlyb1kV3Sed6gXOtq8x76CqzgBMUg0ILlE1oukwZkzIyGCc0xa/oO7rZt03C8bTg+PfrcyCqqNjn+GHa/m/q5M7Ptxjr8AjrIll\
        KbhQZokzCaKjh6HpgA3C3yyYCudttMJ5iLp3xuSb3OnZQc+N6ckP4KQJirEo6RmNbelQaqre9WhgVmCSndfekTJxEflgEB9CsHubHEfQjLad\
        SmqhDS4qVh4rJRBAHYm9q+nLNgkHShLp+2ko1PXQjK6Xf1FxDSH7MYtfR6SdcHg0/MqjiL14NGpDKWKEgHY3m4mvnhTa7rGB0NiJA415z6Or\
        nHbtHn2e25OlCOp3Uwl7UUc/JM2Rp3Q0mOlIQyol0f+WeEtj2vJaUPRgyZDhyS85Vs1sLSC5vxyUdj1kAuT/lBFuozW8XEJax3bqkx9owC24\
        2ikKmlbSL1njs/mP07edvmqfa/PhLa4VWUXVdmwLkzgZ/KTWQ9ajr+cGtydMIIGu2/W1F/1eYD/GNYdpmGA4U0HmuiruYTto1NGHLTQUdEwn\
        SgL6zKqqOCVq8u3lmhKEMqmtNu7712qYtiQK99JgMhx0iYrHcgNo382BC32CiezfKlXN2XqodszffwiyTI0jLA1z08anVVPi0YFb/NaZgU9m\
        /oasgiYmbTfT3Ol8dhIhcctLM+lhdck9R5rhN0XYSVi35lkG/j92yEm675vYMRDZ7xSWTQ1Jbc8OvxYtanJYraG8KfBWqIkIfDat6R6v5k8e\
        +642Lxqxd51TUUllft3jLH7h5kohiuEuxErfvZJ7lsAOm2iTlfjGPZoq+p8j8CsFrO99XHLIoK/s690qU8nF274rG65UqY8Yl+08xhFQqlnZ\
        X9XgQHkjzszgmo4EFc1whAng5XBvGXofrid1BBdN/KzJJ2fJc8Jb71Er0yoIm7YHUDyiiBb3Yh0yavtUwN3CGpgUF1ddXRHEjAjdROZb/qk2\
        dIhcI7zjtywoMzvxTb7fD4J3xEBeMlk9mrkih16M734RfzFhhvnp5xMbnmgTNSpu+SRzL8nBjRMGV+pWGEJcLt482CjR+CIrQ0NH8f0kqo2S\
        KXIod06hrv8dVNhVuWq4R2YE3ShWj03ccGbfrmimgxKpNJYApXFT40k9zWjdE6Apml+cyGucAd4C8LdcusHhaMTgnHVH/F0XDhG3wuq07LKX\
        ppQjXDpQlBo8BPz84oqN/q0wVz/JsD3g6zH9PoWHO+H7gN6WBvWerxMY0JyxFfWSJoUD5eNX56qWrAR5Yx6ixQ1KraXiqi5bFt3mZLBRchzC\
        e2HHWxB3OdoAbzBEncTyad6SzBIx+AABF6B0qD+PO9edbQ84OL1bfBJjCVewWy+jWgKow6253it/MqHSeR1G02X2/bXjMKWy7FWAJ5OF5gbT\
        cKQxywAKUokooOe4MjS2xC1CGfKH4KXsswdlNvC65yPmNzbR/nrnhru2OxqLJk57bYjDPxG0D42ZejdEJBz8cHWE6IyLioizTCXDSbpGzGWN\
        3YXQ7P/ycXcuS8mmE5C2adixCGFW4XZuC078wgYlH74MjaOS4Xp8IXXJ+jtp8ND0JIgzFVkms9Cdpk2r0HYONX3sf9nQhuuXxu/VXixD3pUo\
        RUBkN0MdAj7uVtZMp/kplN9SSjrl7KvN7/xYU6hvWM1NBqvM3oJB2HJ8UbGnCcTuEuVe5obIi50tDkvcNnQoG75GEv6ogouC9tOJ6dp+YC9/\
        tlgiVf3L/ZNxTrFuQfLJbPuMFY1WN5PbNWjpD35uH2kHLH93t6vSPvaQKvkaT//UP73hW9GBavWvzSNvv2q8sXyv2NC41C+Wn1CKMRQqF1OG\
        olbLZ/Fk16ZM9krYgdDrGSkHtJHA1XlvAhfLbsQ2Y5mJ8dvOaUcWh2Nw8/KvjsCeih4cY/KFOEwO+q6kXRNj2t1PBzJ8h+fr22XS3SCqGBWx\
        70iq0bagqX40a8j+3xRMKcf9vW03f0F9jPsiXZJENk9XgQaCDkQbyEdFqZrLunX8ljQxQYtIjMItLz/VMwlVFhXI8Zf9DrBmtT/4fVJlmUXH\
        e+l0PVXbOlayyJgLfTeSn0SjiFN+OfRDfbX4TX2pAdD73Ee2TucRaYpPK9uOWo03jDrdy8ayy7bRallBTeK2Jxs5sTF++6ohDWqVA3aq/KK2\
        XwGVSssD6EgKyh/7Rz6AfSOc3hr8RQuFoIhhnJBeaNdGICAlw21RVElsH2XdaKik8uIjRaRIZfTRXCcohzPd+2SEmpnkxUvnDDJRDSDWyneX\
        6/OPf+hkbp8RksPJ5iJCEmjlYIiWb3St+1n9d547r8u3aBSLJ5ndohc03YCB9TiFKeN/i25t5KX2mxLaox2u4fv1cMzQk8Jg6gSS2Xt7uBkZ\
        C6HM9L1114TFzlPaCnCIBxcOwOr0BVgzSZZikm4PLZOG8A7jq9uQV+lWPS3n03I8uKpArzfoBXuN0Y4/DpurnudH+FdcCdhYI/K6L4bLbJ9b\
        p6qUqdxujhGT6ZcuHvfIFlJO0hETey4/xB1L2P6n2e3zEXzxb6HA5B9a8s7ME82izClpHZBfxKODHh9Saj/uXMKcUmQ5HigRY7SyW2OrtpS0\
        yfZUbc/Xr14l7gqPOA8eXtHbrODj1anIdQjTRJYLw7TOHCgrhkn/USSYT6l9TX4b5+iyyKafiz4IkQM/r8hdgE6qbYzwWpNB6cZrlctigatX\
        pu5uIfBqWbsRGyyNovcSGS07gJCTndLb/RcvQlN1h8/c8kNahp2ntNX2BzW50hEhVVuFiI6lqLDV1+UAAAAABhEaIiYz
        """
    /// SHA-256 of the ML-DSA-65 public key.
    static let mldsaPublicSHA256 = "bd3f4f9fff634bb659b2bbf6fd3715e8e2faf91ea935fb2e7798c4c662f88c0c"
}
