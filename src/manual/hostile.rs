//! Servers that break the rules, and what becomes of each.
//!
//! Every one of these is played by the lab: over loopback in `certsweep demo`, and in memory by the tests, in pieces of
//! one, two and seven bytes and whole. Each has one outcome for our own client where it goes to the end of the handshake,
//! and one for rustls alone. The two differ mostly because rustls hands out a leaf only once the server's signature has
//! come, and because it does not know suites and versions that are old. `--handshake full` asks rustls first and, where
//! that sees no leaf, our own client, so that it comes to the same outcome and leaf as the others. `leaf`, and `auto`
//! unless the leaf matches, stop once the Certificate message is whole: they see the same outcome and leaf, and nothing
//! of what comes after them. Close and reset after every byte of a good flight are played in memory as well.
//!
//! `certificate`, then something, means that the leaf is kept, and `ended` in the record has the second word. A key is
//! never proven by any of them. The outcomes are those that RFC 8446 and RFC 5246 ask for, but that a leaf which can be
//! read in the clear is read: who breaks a rule in a ServerHello up to TLS 1.2 does not hide behind it.
//!
//! | server | what it does | our own client | rustls |
//! | --- | --- | --- | --- |
//! | `openvpn` | answers with an OpenVPN server reset over TCP | `not_tls` (openvpn) | the same |
//! | `mysql` | greets as MySQL 8 | `not_tls` (mysql) | the same |
//! | `mysql_refusal` | greets as MySQL with the error that the host may not connect | `not_tls` (mysql) | the same |
//! | `rdp` | answers with an RDP connection confirm in TPKT | `not_tls` (rdp) | the same |
//! | `ftp` | greets as an FTP server | `not_tls` (ftp) | the same |
//! | `pop3` | greets as a POP3 server | `not_tls` (pop3) | the same |
//! | `imap` | greets as an IMAP server | `not_tls` (imap) | the same |
//! | `telnet` | greets with Telnet options | `not_tls` (unknown) | the same |
//! | `sslv2` | answers with the ServerHello of SSL 2.0 | `not_tls` (unknown) | the same |
//! | `zeros` | sends 16 zero bytes at once | `not_tls` (unknown) | the same |
//! | `short_banner` | sends three bytes of no protocol and closes | `not_tls` (unknown) | the same |
//! | `half_banner` | sends the first three bytes of an SSH banner and nothing more | `not_tls` (unknown) | the same |
//! | `tls_after_banner` | sends an SMTP greeting, and answers the ClientHello with TLS all the same | `not_tls` (smtp) | the same |
//! | `one_byte` | sends the first byte of a record and closes | `stalled` | the same |
//! | `byte_a_second` | sends a ServerHello at one byte a second | `stalled` | the same |
//! | `alert_before_hello` | sends a fatal alert 80, internal_error, without having read a byte | `alert` (fatal internal_error(80)) | the same |
//! | `one_byte_records` | puts every byte of its flight into a record of its own, which is allowed | `certificate`, then `stalled` | `stalled` |
//! | `odd_record_versions` | calls its records SSL 3.0, TLS 1.0 and what does not exist; nobody may look at it | `certificate`, then `stalled` | `stalled` |
//! | `empty_records` | sends 10,000 handshake records of no content | `malformed` | the same |
//! | `empty_record_then_leaf` | sends one handshake record of no content before a good flight | `certificate`, then `stalled` | `malformed` |
//! | `endless_records` | sends application data without end instead of a ServerHello | `malformed` | the same |
//! | `application_data_in_the_clear` | TLS 1.2: sends application data where its certificate belongs | `malformed` | the same |
//! | `record_of_65535` | sends a record that says 65,535 bytes | `malformed` | `too_large` |
//! | `record_of_16385` | puts one byte more into a record than is allowed in the clear; a leaf is a leaf | `certificate`, then `stalled` | `stalled` |
//! | `record_of_another_type` | sends a record of type 24, a heartbeat | `malformed` | the same |
//! | `record_of_another_major` | sends a good ServerHello, and its certificate in a record of version 4.0 | `malformed` | the same |
//! | `record_cut` | closes in the middle of the record that has its certificate | `stalled` | the same |
//! | `interleaved` | sends a ChangeCipherSpec between two halves of its ServerHello; a leaf is a leaf | `certificate`, then `stalled` | `malformed` |
//! | `change_cipher_spec_first` | sends a ChangeCipherSpec before its ServerHello, which TLS 1.3 lets pass | `certificate`, then `stalled` | `malformed` |
//! | `change_cipher_spec_flood` | sends 10,000 ChangeCipherSpec messages | `malformed` | the same |
//! | `change_cipher_spec_value` | sends a ChangeCipherSpec with the value two | `malformed` | the same |
//! | `change_cipher_spec_length` | sends a ChangeCipherSpec of two bytes | `malformed` | the same |
//! | `change_cipher_spec_early` | TLS 1.2: sends a ChangeCipherSpec before any keys are agreed | `certificate`, then `malformed` | `malformed` |
//! | `hello_request_first` | TLS 1.2: asks for a new handshake before and within the first one | `certificate`, then `stalled` | `malformed` |
//! | `hello_request_flood` | sends HelloRequest without end | `too_large` | `malformed` |
//! | `garbage_for_ciphertext` | TLS 1.3: sends random bytes where encrypted records belong | `malformed` | the same |
//! | `alert_flood` | sends 10,000 warnings | `malformed` | the same |
//! | `warning_then_leaf` | TLS 1.2: sends the warning unrecognized_name, shows the leaf and resets the connection | `certificate`, then `reset` | `reset` |
//! | `warning_then_fatal` | sends a warning and then fatal alert 40, handshake_failure | `alert` (fatal handshake_failure(40)) | the same |
//! | `two_alerts_in_a_record` | sends a warning and fatal alert 40, handshake_failure, in one record | `alert` (fatal handshake_failure(40)) | `malformed` |
//! | `goodbye` | sends close_notify and closes | `alert` (warning close_notify(0)) | the same |
//! | `alert_level_nine` | sends alert 40, handshake_failure, of a level that does not exist | `alert` (unknown handshake_failure(40)) | the same |
//! | `alert_unknown` | sends fatal alert 255, which is not assigned | `alert` (fatal unknown(255)) | the same |
//! | `alert_empty` | sends an alert record of no content | `malformed` | the same |
//! | `alert_in_halves` | spreads an alert over two records | `malformed` | the same |
//! | `alert_after_hello` | TLS 1.2: sends its ServerHello and fatal alert 80, internal_error | `alert` (fatal internal_error(80)) | the same |
//! | `alert_after_hello13` | TLS 1.3: sends its ServerHello and fatal alert 80, internal_error, in the clear | `alert` (fatal internal_error(80)) | the same |
//! | `alert_after_leaf` | TLS 1.2: shows the leaf and sends fatal alert 80, internal_error | `certificate`, then `alert` (fatal internal_error(80)) | `alert` (fatal internal_error(80)) |
//! | `goodbye_after_leaf` | TLS 1.2: shows the leaf and sends close_notify | `certificate`, then `alert` (warning close_notify(0)) | `alert` (warning close_notify(0)) |
//! | `alert_flood_after_leaf` | TLS 1.2: shows the leaf and sends 10,000 warnings | `certificate`, then `malformed` | `malformed` |
//! | `hello_version_2` | chooses version 2.0 | `malformed` | the same |
//! | `hello_version_0` | chooses version 0.0 | `malformed` | the same |
//! | `hello_version_5` | chooses a version after TLS 1.3 | `malformed` | the same |
//! | `hello_version_13` | chooses TLS 1.3 in the place of older versions | `malformed` | the same |
//! | `hello_version_draft` | chooses a draft of TLS 1.3 | `malformed` | the same |
//! | `hello_version_12_extended` | chooses TLS 1.2 in the place of TLS 1.3 | `certificate`, then `stalled` | `malformed` |
//! | `downgrade_to_12` | chooses TLS 1.2 and says in its random that it was made to; a leaf is a leaf | `certificate`, then `stalled` | `malformed` |
//! | `downgrade_to_11` | chooses TLS 1.2 with the random of a downgrade to TLS 1.1; a leaf is a leaf | `certificate`, then `stalled` | `stalled` |
//! | `suite_not_offered` | chooses an anonymous suite that nobody offered | `malformed` | the same |
//! | `suite_null` | chooses the suite without keys or ciphers | `malformed` | the same |
//! | `suite_signal` | chooses the signal of secure renegotiation as suite | `malformed` | the same |
//! | `suite_of_13_in_12` | chooses TLS 1.2 with a suite of TLS 1.3 | `malformed` | the same |
//! | `suite_of_12_in_13` | chooses TLS 1.3 with a suite of TLS 1.2 | `malformed` | the same |
//! | `compressed` | chooses compression that nobody offered | `certificate`, then `stalled` | `malformed` |
//! | `session_of_33` | sends a session identifier of 33 bytes | `certificate`, then `stalled` | `malformed` |
//! | `session_not_echoed` | chooses TLS 1.3, sends no session identifier back, and closes | `stalled` | the same |
//! | `share_missing` | chooses TLS 1.3 and sends no key share | `malformed` | the same |
//! | `share_short` | sends a share of X25519 that is one byte short | `malformed` | the same |
//! | `share_zero` | sends a share of X25519 that makes every secret zero, and closes | `stalled` | `malformed` |
//! | `share_of_another_group` | sends a share of a group that no share was sent of | `malformed` | the same |
//! | `extension_twice` | sends the extended_master_secret extension twice | `certificate`, then `stalled` | `malformed` |
//! | `extensions_too_long` | says that its extensions are longer than the message | `malformed` | the same |
//! | `hello_trailing` | has bytes after the extensions of its ServerHello | `certificate`, then `stalled` | `malformed` |
//! | `hello_cut` | ends its ServerHello in the middle of the random | `malformed` | the same |
//! | `hello_empty` | sends a ServerHello of no content | `malformed` | the same |
//! | `hello_of_16_mib` | says that its ServerHello has 16 MiB | `too_large` | the same |
//! | `hello_never_whole` | says that its ServerHello is longer than what it sends, and closes | `stalled` | the same |
//! | `clear_after_hello13` | TLS 1.3: sends its certificate in the clear | `malformed` | the same |
//! | `leftover_at_key_change` | TLS 1.3: has EncryptedExtensions in the record of its ServerHello | `malformed` | the same |
//! | `retry_loop` | asks for another ClientHello again and again | `malformed` | the same |
//! | `retry_for_what_was_sent` | asks for a share that our own client has sent already | `malformed` | the same |
//! | `retry_for_nothing` | asks for a ClientHello like the first | `malformed` | the same |
//! | `retry_unknown_group` | asks for a group that nobody offered | `malformed` | the same |
//! | `retry_empty_cookie` | asks for a cookie of no length | `malformed` | the same |
//! | `retry_huge_cookie` | asks for a cookie of 40,000 bytes to be sent back | `too_large` | `malformed` |
//! | `retry_other_suite` | chooses another suite after it asked again | `malformed` | the same |
//! | `retry_other_group` | chooses another group than it asked for | `malformed` | the same |
//! | `retry_then_12` | asks again and then chooses TLS 1.2 | `malformed` | the same |
//! | `retry_other_version` | asks again in a version that is not TLS 1.3 | `malformed` | the same |
//! | `no_certificate` | sends a Certificate message with an empty list | `malformed` | `stalled` |
//! | `certificate_of_nothing` | sends a certificate of no bytes | `malformed` | `stalled` |
//! | `certificate_message_empty` | sends a Certificate message of no content | `malformed` | the same |
//! | `leaf_longer_than_list` | says that the leaf is longer than the list it is in | `malformed` | the same |
//! | `list_longer_than_message` | says that the list is longer than the message it is in | `certificate`, then `stalled` | `malformed` |
//! | `second_certificate_lies` | says that the certificate after the leaf is longer than the list | `certificate`, then `stalled` | `malformed` |
//! | `not_a_certificate` | sends 14 bytes of text as its certificate; they are hashed as what they are | `certificate`, then `stalled` | `stalled` |
//! | `huge_certificate` | shows a leaf of 48 KiB | `certificate`, then `stalled` | `stalled` |
//! | `hundred_certificates` | sends the leaf a hundred times in one list | `certificate`, then `stalled` | `stalled` |
//! | `certificates_of_16_mib` | says that its Certificate message has 16 MiB, and closes after the leaf | `certificate`, then `too_large` | `too_large` |
//! | `endless_junk_certificate` | sends a certificate of 16 MiB without an end | `too_large` | the same |
//! | `leaf_before_the_cut` | closes when all of the leaf is sent and half of the next certificate | `certificate`, then `stalled` | `stalled` |
//! | `leaf_cut` | closes when all of the leaf is sent but its last byte | `stalled` | the same |
//! | `certificate_first` | sends its certificate before its ServerHello | `malformed` | the same |
//! | `hello_again` | TLS 1.2: sends a second ServerHello after the leaf | `certificate`, then `malformed` | `malformed` |
//! | `leaf_again` | TLS 1.2: sends a second Certificate message | `certificate`, then `malformed` | `malformed` |
//! | `finished_at_once` | TLS 1.2: sends Finished in the clear after the leaf | `certificate`, then `malformed` | `malformed` |
//! | `ticket_at_once` | TLS 1.2: sends a session ticket after the leaf | `certificate`, then `malformed` | `malformed` |
//! | `unknown_message` | TLS 1.2: sends a message of an unknown type | `certificate`, then `malformed` | `malformed` |
//! | `data_after_leaf` | TLS 1.2: sends application data after the leaf | `certificate`, then `malformed` | `malformed` |
//! | `http_after_leaf` | TLS 1.2: goes on in HTTP after the leaf | `certificate`, then `malformed` | `malformed` |
//! | `unsigned_key_exchange` | TLS 1.2: leaves out its signed key exchange | `certificate`, then `malformed` | `malformed` |
//! | `key_exchange_never_whole` | TLS 1.2: says that its key exchange has 16 MiB | `certificate`, then `too_large` | `too_large` |
//! | `renegotiation_flood` | TLS 1.2: asks for a new handshake without end after the leaf | `certificate`, then `too_large` | `malformed` |
//! | `reset_after_leaf` | TLS 1.2: resets the connection after the leaf | `certificate`, then `reset` | `reset` |
//! | `hold_after_leaf` | TLS 1.2: shows an indicator's leaf and says nothing more | `certificate`, then `stalled` | `stalled` |
//! | `sealed_leaf_then_close` | TLS 1.3: shows the leaf and closes before it signs | `certificate`, then `stalled` | `stalled` |
//! | `sealed_leaf_then_alert` | TLS 1.3: shows the leaf and sends an encrypted fatal alert 80, internal_error | `certificate`, then `alert` (fatal internal_error(80)) | `alert` (fatal internal_error(80)) |
//! | `sealed_padding` | TLS 1.3: hides the leaf before 15,000 bytes of padding, which is allowed | `certificate`, then `stalled` | `stalled` |
//! | `sealed_made_up_signature` | TLS 1.3: shows an indicator's leaf and signs without its key | `certificate`, then `stalled`, key proven: false | the same |
//! | `sealed_finished_unsigned` | TLS 1.3: shows the leaf and sends Finished where its signature belongs | `certificate`, then `malformed` | `malformed` |
//! | `sealed_leaf_twice` | TLS 1.3: shows the leaf in two Certificate messages | `certificate`, then `malformed` | `malformed` |
//! | `sealed_change_cipher_spec` | TLS 1.3: sends a ChangeCipherSpec inside the encryption | `malformed` | the same |
//! | `sealed_empty` | TLS 1.3: sends an encrypted handshake record of no content, and closes | `stalled` | the same |
//! | `sealed_zeros` | TLS 1.3: sends an encrypted record of nothing but padding, without a type | `malformed` | the same |
//! | `sealed_application_data` | TLS 1.3: sends application data before its certificate | `malformed` | the same |
//! | `sealed_alert` | TLS 1.3: sends an encrypted fatal alert 40, handshake_failure, before its certificate | `alert` (fatal handshake_failure(40)) | the same |
//! | `compression_bomb` | TLS 1.3: says that its compressed certificate has 16 MiB | `too_large` | `malformed` |
//! | `sealed_key_update` | TLS 1.3: sends a KeyUpdate in the middle of the handshake | `malformed` | the same |
//! | `sealed_extensions_twice` | TLS 1.3: sends EncryptedExtensions 2,000 times | `malformed` | the same |
//! | `sealed_leaf_length` | TLS 1.3: sends a certificate that is longer than the list it is in | `malformed` | the same |
//! | `replay_rsa_12` | TLS 1.2 with RSA key exchange: an indicator's leaf, and a Finished that is made up | `certificate`, then `malformed` | `malformed` |
//! | `replay_rsa_11` | TLS 1.1 with RSA key exchange: an indicator's leaf, and a Finished that is made up | `certificate`, then `malformed` | `malformed` |
//! | `replay_rsa_10` | TLS 1.0 with RSA key exchange: an indicator's leaf, and a Finished that is made up | `certificate`, then `malformed` | `malformed` |
//! | `replay_dhe_10` | TLS 1.0 with DHE: an indicator's leaf, and a signature that is made up | `certificate`, then `stalled`, key proven: false | `malformed` |
//! | `replay_ecdhe_12` | TLS 1.2 with ECDHE: an indicator's leaf, and a signature that is made up | `certificate`, then `stalled`, key proven: false | `stalled` |
//! | `replay_ssl_3` | SSL 3.0 with RSA key exchange: an indicator's leaf, and an alert for whoever goes on | `certificate` | `malformed` |
