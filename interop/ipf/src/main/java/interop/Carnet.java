package interop;

import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.logging.LogManager;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.*;
import org.openehealth.ipf.commons.ihe.xds.core.responses.*;

/**
 * A Java client that nobody here wrote (Open eHealth IPF), with MTOM. Arguments: URL of the server, patient as CX.
 *
 * <p>Prints one line for each exchange and ends with status 1 when one did not go as the standard says.
 */
public final class Carnet {
    private static final String CODE_SYSTEM = "1.2.250.1.999.1";
    private static final String REFERENCE = "R-2^^^^urn:ihe:iti:xds:2013:order";

    private final CamelContext camel = new DefaultCamelContext();
    private final String address;
    private final Identifiable patient;
    private int failures;

    private Carnet(String url, String patient) {
        this.address = url.replaceFirst("^http://", "");
        this.patient = Identifiable.parse(patient);
    }

    public static void main(String[] arguments) throws Exception {
        LogManager.getLogManager().reset();
        Carnet carnet = new Carnet(arguments[0], arguments[1]);
        carnet.camel.start();
        carnet.run();
        carnet.camel.stop();
        System.exit(carnet.failures == 0 ? 0 : 1);
    }

    private void run() throws Exception {
        byte[] octets = "Cher confrère,\r\nvoici la lettre.\n".getBytes(StandardCharsets.UTF_8);
        String document = oid();
        String folder = oid();
        String submission = oid();
        ProvideAndRegisterDocumentSet request = submission(document, folder, submission, octets);
        Response filed = send("xds-iti41", "repository", request, Response.class);
        check("ITI-41, MTOM", filed.getStatus() == Status.SUCCESS, filed.getErrors());

        QueryResponse found = query(findDocuments(new FindDocumentsQuery()));
        check("ITI-18 FindDocuments", found.getDocumentEntries().size() == 1, found.getErrors());
        if (found.getDocumentEntries().isEmpty()) {
            return;
        }
        DocumentEntry entry = found.getDocumentEntries().get(0);
        queries(entry, folder, submission);
        retrieve(entry, octets);
        multiplePatients();
        update(entry);
        remove(entry);
    }

    private void retrieve(DocumentEntry entry, byte[] octets) throws Exception {
        RetrieveDocumentSet request = new RetrieveDocumentSet();
        request.getDocuments().add(new DocumentReference(entry.getRepositoryUniqueId(), entry.getUniqueId(), null));
        RetrievedDocumentSet retrieved = send("xds-iti43", "repository", request, RetrievedDocumentSet.class);
        boolean same = retrieved.getDocuments().size() == 1
                && Arrays.equals(retrieved.getDocuments().get(0).getDataHandler().getInputStream().readAllBytes(), octets);
        check("ITI-43, octet by octet", same && retrieved.getStatus() == Status.SUCCESS, retrieved.getErrors());
        request.getDocuments().add(new DocumentReference(entry.getRepositoryUniqueId(), oid(), null));
        RetrievedDocumentSet partly = send("xds-iti43", "repository", request, RetrievedDocumentSet.class);
        check("ITI-43, one of two", partly.getStatus() == Status.PARTIAL_SUCCESS
                && partly.getErrors().size() == 1
                && partly.getErrors().get(0).getErrorCode() == ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, partly.getErrors());
    }

    /** Every stored query that the library offers and the profile knows. */
    private void queries(DocumentEntry entry, String folder, String submission) {
        FindSubmissionSetsQuery sets = new FindSubmissionSetsQuery();
        sets.setPatientId(patient);
        sets.setStatus(List.of(AvailabilityStatus.APPROVED));
        expect("FindSubmissionSets", sets, 0, 1, 0, 0);
        FindFoldersQuery folders = new FindFoldersQuery();
        folders.setPatientId(patient);
        folders.setStatus(List.of(AvailabilityStatus.APPROVED));
        expect("FindFolders", folders, 0, 0, 1, 0);
        GetAllQuery all = new GetAllQuery();
        all.setPatientId(patient);
        all.setStatusDocuments(List.of(AvailabilityStatus.APPROVED));
        all.setStatusSubmissionSets(List.of(AvailabilityStatus.APPROVED));
        all.setStatusFolders(List.of(AvailabilityStatus.APPROVED));
        expect("GetAll", all, 1, 1, 1, 4);
        FindDocumentsByReferenceIdQuery reference = new FindDocumentsByReferenceIdQuery();
        reference.setReferenceIds(new QueryList<>(REFERENCE));
        expect("FindDocumentsByReferenceId", findDocuments(reference), 1, 0, 0, 0);
        GetDocumentsQuery documents = new GetDocumentsQuery();
        documents.setUniqueIds(List.of(entry.getUniqueId()));
        expect("GetDocuments", documents, 1, 0, 0, 0);
        GetFoldersQuery getFolders = new GetFoldersQuery();
        getFolders.setUniqueIds(List.of(folder));
        expect("GetFolders", getFolders, 0, 0, 1, 0);
        GetAssociationsQuery associations = new GetAssociationsQuery();
        associations.setUuids(List.of(entry.getEntryUuid()));
        expect("GetAssociations", associations, 0, 0, 0, 2);
        GetDocumentsAndAssociationsQuery both = new GetDocumentsAndAssociationsQuery();
        both.setUuids(List.of(entry.getEntryUuid()));
        expect("GetDocumentsAndAssociations", both, 1, 0, 0, 2);
        GetSubmissionSetsQuery getSets = new GetSubmissionSetsQuery();
        getSets.setUuids(List.of(entry.getEntryUuid()));
        expect("GetSubmissionSets", getSets, 0, 1, 0, 1);
        GetSubmissionSetAndContentsQuery contents = new GetSubmissionSetAndContentsQuery();
        contents.setUniqueId(submission);
        expect("GetSubmissionSetAndContents", contents, 1, 1, 1, 4);
        GetFolderAndContentsQuery folderContents = new GetFolderAndContentsQuery();
        folderContents.setUniqueId(folder);
        expect("GetFolderAndContents", folderContents, 1, 0, 1, 1);
        GetFoldersForDocumentQuery foldersFor = new GetFoldersForDocumentQuery();
        foldersFor.setUuid(entry.getEntryUuid());
        expect("GetFoldersForDocument", foldersFor, 0, 0, 1, 0);
        GetRelatedDocumentsQuery related = new GetRelatedDocumentsQuery();
        related.setUuid(entry.getEntryUuid());
        related.setAssociationTypes(List.of(AssociationType.REPLACE));
        expect("GetRelatedDocuments", related, 0, 0, 0, 0);
    }

    private void multiplePatients() {
        FindDocumentsForMultiplePatientsQuery query = new FindDocumentsForMultiplePatientsQuery();
        query.setPatientIds(List.of(patient));
        query.setStatus(List.of(AvailabilityStatus.APPROVED));
        QueryResponse found = send("xds-iti51", "registry", new QueryRegistry(query, QueryReturnType.LEAF_CLASS), QueryResponse.class);
        check("ITI-51 FindDocumentsForMultiplePatients", found.getDocumentEntries().size() == 1, found.getErrors());
    }

    /** ITI-57: a new version with another title. */
    private void update(DocumentEntry entry) {
        RegisterDocumentSet request = new RegisterDocumentSet();
        request.setSubmissionSet(submissionSet(oid()));
        String previous = entry.getVersion().getVersionName();
        entry.setLogicalUuid(entry.getLogicalUuid());
        entry.setEntryUuid("urn:uuid:" + UUID.randomUUID());
        entry.setTitle(new LocalizedString("Lettre, titre corrigé"));
        request.getDocumentEntries().add(entry);
        Association member = member("set", entry.getEntryUuid());
        member.setLabel(AssociationLabel.ORIGINAL);
        member.setPreviousVersion(previous);
        request.getAssociations().add(member);
        Response updated = send("xds-iti57", "registry", request, Response.class);
        check("ITI-57, a new version", updated.getStatus() == Status.SUCCESS, updated.getErrors());
        GetDocumentsQuery again = new GetDocumentsQuery();
        again.setUniqueIds(List.of(entry.getUniqueId()));
        List<DocumentEntry> found = query(again).getDocumentEntries();
        boolean newer = found.size() == 1 && "2".equals(found.get(0).getVersion().getVersionName())
                && "Lettre, titre corrigé".equals(found.get(0).getTitle().getValue());
        check("ITI-18 finds the new version", newer, found.size());
    }

    /** ITI-86: the octets are gone. */
    private void remove(DocumentEntry entry) {
        RemoveDocuments request = new RemoveDocuments();
        request.getDocuments().add(new DocumentReference(entry.getRepositoryUniqueId(), entry.getUniqueId(), null));
        Response removed = send("rmd-iti86", "repository", request, Response.class);
        check("ITI-86", removed.getStatus() == Status.SUCCESS, removed.getErrors());
        RetrieveDocumentSet retrieve = new RetrieveDocumentSet();
        retrieve.getDocuments().addAll(request.getDocuments());
        RetrievedDocumentSet gone = send("xds-iti43", "repository", retrieve, RetrievedDocumentSet.class);
        check("ITI-43 of what was removed", gone.getStatus() == Status.FAILURE, gone.getStatus());
    }

    // Requests.

    private ProvideAndRegisterDocumentSet submission(String document, String folder, String submission, byte[] octets) {
        ProvideAndRegisterDocumentSet request = new ProvideAndRegisterDocumentSet();
        request.setSubmissionSet(submissionSet(submission));
        request.getDocuments().add(new Document(entry(document), new DataHandler(new ByteArrayDataSource(octets, "text/plain"))));
        Folder box = new Folder();
        box.setEntryUuid("folder");
        box.setUniqueId(folder);
        box.setPatientId(patient);
        box.setTitle(new LocalizedString("Classeur"));
        box.getCodeList().add(code("theme"));
        request.getFolders().add(box);
        Association document1 = member("set", "document");
        document1.setLabel(AssociationLabel.ORIGINAL);
        Association membership = member("folder", "document");
        membership.setEntryUuid("membership");
        request.getAssociations().addAll(List.of(document1, member("set", "folder"), membership, member("set", "membership")));
        return request;
    }

    private SubmissionSet submissionSet(String uniqueId) {
        SubmissionSet set = new SubmissionSet();
        set.setEntryUuid("set");
        set.setUniqueId(uniqueId);
        set.setSourceId("1.2.250.1.999.2");
        set.setPatientId(patient);
        set.setSubmissionTime("20260102030405");
        set.setContentTypeCode(code("content"));
        set.setTitle(new LocalizedString("Sortie"));
        return set;
    }

    private DocumentEntry entry(String uniqueId) {
        DocumentEntry entry = new DocumentEntry();
        entry.setEntryUuid("document");
        entry.setUniqueId(uniqueId);
        entry.setPatientId(patient);
        entry.setSourcePatientId(patient);
        entry.setType(DocumentEntryType.STABLE);
        entry.setMimeType("text/plain");
        entry.setLanguageCode("fr-FR");
        entry.setCreationTime("20260102030405");
        entry.setTitle(new LocalizedString("Lettre"));
        entry.setClassCode(code("class"));
        entry.setTypeCode(code("type"));
        entry.setFormatCode(code("format"));
        entry.setHealthcareFacilityTypeCode(code("facility"));
        entry.setPracticeSettingCode(code("practice"));
        entry.getConfidentialityCodes().add(code("N"));
        entry.getReferenceIdList().add(ReferenceId.parse(REFERENCE));
        Author author = new Author();
        author.setAuthorPerson(Person.parse("801234567897^MARTIN^Claire"));
        entry.getAuthors().add(author);
        return entry;
    }

    private <Q extends FindDocumentsQuery> Q findDocuments(Q query) {
        query.setPatientId(patient);
        query.setStatus(List.of(AvailabilityStatus.APPROVED));
        return query;
    }

    private static Association member(String source, String target) {
        return new Association(AssociationType.HAS_MEMBER, "urn:uuid:" + UUID.randomUUID(), source, target);
    }

    private static Code code(String code) {
        return new Code(code, new LocalizedString("display of " + code), CODE_SYSTEM);
    }

    private static String oid() {
        UUID uuid = UUID.randomUUID();
        ByteBuffer octets = ByteBuffer.allocate(16);
        octets.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
        return "2.25." + new BigInteger(1, octets.array());
    }

    // Exchanges.

    private QueryResponse query(StoredQuery query) {
        return send("xds-iti18", "registry", new QueryRegistry(query, QueryReturnType.LEAF_CLASS), QueryResponse.class);
    }

    private void expect(String name, StoredQuery query, int documents, int sets, int folders, int associations) {
        QueryResponse found = query(query);
        List<Integer> counts = List.of(
                found.getDocumentEntries().size(), found.getSubmissionSets().size(),
                found.getFolders().size(), found.getAssociations().size());
        boolean good = found.getStatus() == Status.SUCCESS && counts.equals(List.of(documents, sets, folders, associations));
        check("ITI-18 " + name, good, counts + " " + found.getErrors());
    }

    private <T> T send(String transaction, String service, Object body, Class<T> answer) {
        Exchange exchange = new DefaultExchange(camel);
        exchange.getIn().setBody(body);
        // The library's own audit trail is not under test here.
        String endpoint = transaction + "://" + address + "/services/" + service + "?audit=false";
        Exchange result = camel.createProducerTemplate().send(endpoint, exchange);
        if (result.getException() != null) {
            throw new IllegalStateException(transaction, result.getException());
        }
        return result.getMessage().getBody(answer);
    }

    private void check(String what, boolean good, Object detail) {
        failures += good ? 0 : 1;
        System.out.println((good ? "ok      " : "FAILED  ") + what + (good ? "" : "  " + detail));
    }
}
