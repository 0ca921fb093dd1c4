"""Headers of Ethereum mainnet: blocks 0, 1 and 20,013,090 (June 2024, after Cancun).

Block hash, and the fields of the header in their order, in hex. The hashes stand in every block explorer, and
nobody can find other fields for them.
"""

EMPTY_ROOT = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
NO_OMMERS = "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"

MAINNET = [
    (
        "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
        [
            "00" * 32,
            NO_OMMERS,
            "00" * 20,
            "d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
            EMPTY_ROOT,
            EMPTY_ROOT,
            "00" * 256,
            "0400000000",
            "",
            "1388",
            "",
            "",
            "11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
            "00" * 32,
            "0000000000000042",
        ],
    ),
    (
        "88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6",
        [
            "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
            NO_OMMERS,
            "05a56e2d52c817161883f50c441c3228cfe54d9f",
            "d67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3",
            EMPTY_ROOT,
            EMPTY_ROOT,
            "00" * 256,
            "03ff800000",
            "01",
            "1388",
            "",
            "55ba4224",
            "476574682f76312e302e302f6c696e75782f676f312e342e32",
            "969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59",
            "539bd4979fef1ec4",
        ],
    ),
    (
        "b5f712d1c6eab970b927eac6e3f1704f297d4acfc860f2b243f61e1771aab3ff",
        [
            "b2b49c99cba41ed96ab53ff2b172cd867b7d6784fe8ca3c147d211529cde4482",
            NO_OMMERS,
            "4838b106fce9647bdf1e7877bf73ce8b0bad5f97",
            "62a02785cda0dc514aee2019d96eaefaee29d40428971940e21965805aa5136d",
            "6365226abe9c20b7754d2b71212edf4815dd6ae80f8e0086ce051f126cc5e478",
            "52b0138ad6cd29a7b8eab45da3fdbf3ac8ac19b9ea4b0fa85effff7c730b6c83",
            (
                "906bcea33100b8441a4a0c5de35d59013308c3016c15ce661e9b0a186622e4714485c58587058601d718be14d7ba0d80"
                "be199318a800aefd47c7e06a0bad75262008cd48504b192bae365d0bce04e17e405c56db06fc3c988e020544d96c45d9"
                "0e0f31684246873f3018d2178148ff757625f37115d0a724a81cee37c63b2210884dae5e07432398b1dc31431fea4246"
                "44d36649e140ac5cea31e25d28b02ba8061e0d1c8bad6f320f7473ccaa12ceb844f9c63ac80fa005ecf30c4c01082278"
                "e192b20b60230782070e0dc26769d13636b0c413cd250594531735e26010e54d89ff6048ca0002b019ecbda696d1eb06"
                "0d7dde60f3b2f4cb4e4182f885d137b1"
            ),
            "",
            "01316022",
            "01c9c380",
            "d3b755",
            "665e0b83",
            b"Titan (titanbuilder.xyz)".hex(),
            "221ee008a8c5aafb557a4654110c3aeb8ae9c3af0f5ff7271edc7c91b2d95e07",
            "00" * 8,
            "03322eaeab",
            "b18681663754565d0a1b2ba18ee9519e184905f59dfc5edd846fa5909772e1df",
            "060000",
            "040000",
            "87c7c94ff2fdca52510b51b932364c1fae94cb20cc9657e6de84f19921745603",
        ],
    ),
]
