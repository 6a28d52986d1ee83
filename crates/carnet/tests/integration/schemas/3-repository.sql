-- What the repository has of them.
insert into document (blob, sha1, size, state, sha256, mime_type, unique_id)
    values ('7ed05fe8549849f09f966458dc91f0e5', '94426a59be086dc8a3d425f3c8bcfe67ba33a6b6', '6', 'registered', '1a48b8a28708bb7ea8f6eed9fdf6d2e5aa138961547ae28288980b3de50160fb', 'text/plain', '2.25.181126668589386890690051322437719780684');
insert into document (blob, sha1, size, state, sha256, mime_type, unique_id)
    values ('f8e424c5d1de4aa095deac010c5ce3ac', '2e605792c8ecbf5b76c470d00a8d326f550c3408', '16', 'registered', '0d89b5a3a75b2e309d302deb7e609c5549d90ae76b2a515080c9cea150d36597', 'text/plain', '2.25.187757114511845478557093351961880848173');
insert into document (blob, sha1, size, state, sha256, mime_type, unique_id)
    values ('254c08ae7a0c4a27a75f6cee14cbf30a', '94426a59be086dc8a3d425f3c8bcfe67ba33a6b6', '6', 'registered', '1a48b8a28708bb7ea8f6eed9fdf6d2e5aa138961547ae28288980b3de50160fb', 'text/plain', '2.25.155839798799003457651175233249762808929');
insert into document (blob, sha1, size, state, sha256, mime_type, unique_id)
    values ('2764fa00b6fd4fdb9373c755bf4dc232', '9e1105cac8e66e07328fbd7afd9dc16b6b86b60f', '10', 'registered', 'ec42fb112911736225294199e95663a7b92ba9c50152e578416851173963c076', 'text/plain', '2.25.209438547753919006487056933440782404273');
